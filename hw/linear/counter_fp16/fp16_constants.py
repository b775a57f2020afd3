"""FP16 layer constants: size, codebooks and product table, loaded word by word."""

from amaranth.hdl import Module, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from golden.exact.counter_fp16 import BINS
from golden.exact.spec import FACTOR_BITS
from hw.linear.counter_fp16.dequant_unit import CODEBOOK
from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec
from hw.linear.engine_spec import INDEX_BITS
from hw.linear.layer_constants import Select, Size
from hw.token.token_scale import FACTOR

FP16_CHANNEL = data.StructLayout({"bias": 16, "scale": 16})


class Fp16Constants(wiring.Component):
    """Hold what an FP16 counter engine knows of its layer, but for the weights.

    The counterpart of :class:`hw.linear.layer_constants.LayerConstants`.

    Parameters
    ----------
    spec : Fp16CounterSpec
        Widths and the largest layer.

    Ports
    -----
    idle : In(1)
        Whether words may be taken: no token is under way.
    i : In(stream of ``word``)
        ``select`` and ``address`` as of :class:`hw.linear.layer_constants.Select`; ``word``.
        Activation centroids are integers, as there: they decide about clusters. Weight centroids,
        by their codes, table entries and what a channel has are FP16 patterns.
    shape : Out(spec.shape)
        Size of the layer.
    factor : Out(``FACTOR``)
        Factor of the token scale.
    a_centroids : Out(array of centroids)
        Activation codebook.
    w_codebook : Out(``CODEBOOK``)
        Weight codebook, FP16, by code.
    product_table : Out(array of 256)
        Product table, FP16, by bin.
    channel_en : Out(1)
        Strobe: the word taken in this cycle belongs to an output channel.
    channel_address : Out(range(spec.outputs_max))
        Which one.
    channel : Out(``FP16_CHANNEL``)
        Its scale and bias.
    clear_flags : Out(1)
        Strobe: the word taken in this cycle clears the flags.

    Timing
    ------
    Latency : ``LATENCY`` cycle from a transfer to the constant; none to the strobes.
    Rate : one word per cycle while ``idle``.
    Through paths : ``idle`` to ``i.ready``; ``i`` to the channel's ports and the strobes.
    Reset : everything becomes zero.
    """

    LATENCY = 1

    idle: Signal
    i: stream.Interface
    shape: data.View
    factor: data.View
    a_centroids: data.View
    w_codebook: data.View
    product_table: data.View
    channel_en: Signal
    channel_address: Signal
    channel: data.View
    clear_flags: Signal

    def __init__(self, spec: Fp16CounterSpec) -> None:
        self.spec = spec
        centroid = (unsigned if spec.numbers.symmetric else signed)(spec.centroid_bits)
        address_bits = max(2 * INDEX_BITS, ceil_log2(spec.outputs_max))
        self.word = data.StructLayout(
            {"select": Select, "address": address_bits, "word": FP16_CHANNEL.size}
        )
        ports = {
            "idle": In(1),
            "i": In(stream.Signature(self.word)),
            "shape": Out(spec.shape),
            "factor": Out(FACTOR),
            "a_centroids": Out(data.ArrayLayout(centroid, spec.entries)),
            "w_codebook": Out(CODEBOOK),
            "product_table": Out(data.ArrayLayout(16, BINS)),
            "channel_en": Out(1),
            "channel_address": Out(range(spec.outputs_max)),
            "channel": Out(FP16_CHANNEL),
            "clear_flags": Out(1),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        select, address, word = (self.i.payload[n] for n in ("select", "address", "word"))
        m.d.comb += [
            self.i.ready.eq(self.idle),
            self.channel_address.eq(address),
            self.channel.eq(word),
        ]
        with m.If(self.i.valid & self.i.ready):
            with m.Switch(select):
                with m.Case(Select.SIZE):
                    self._take_size(m, address, word)
                with m.Case(Select.A_CENTROID):
                    m.d.sync += self.a_centroids[address].eq(word)
                with m.Case(Select.W_CENTROID):
                    m.d.sync += self.w_codebook[address[:INDEX_BITS]].eq(word)
                with m.Case(Select.TABLE):
                    m.d.sync += self.product_table[address[: 2 * INDEX_BITS]].eq(word)
                with m.Case(Select.CHANNEL):
                    m.d.comb += self.channel_en.eq(1)
        return m

    def _take_size(self, m: Module, address: Signal, word: Signal) -> None:
        with m.Switch(address):
            for size, target in (
                (Size.INPUTS, self.shape.inputs),
                (Size.OUTPUTS, self.shape.outputs),
                (Size.K_TOP, self.shape.k_top),
                (Size.LAST_CENTROID, self.shape.last_centroid),
            ):
                with m.Case(size.value):
                    m.d.sync += target.eq(word)
            with m.Case(Size.FACTOR.value):
                m.d.sync += self.factor.mantissa.eq(word[:FACTOR_BITS])
                m.d.sync += self.factor.exponent.eq(word[FACTOR_BITS:])
            with m.Case(Size.CLEAR_FLAGS.value):
                m.d.comb += self.clear_flags.eq(1)
