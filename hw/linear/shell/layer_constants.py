"""Layer constants: size, codebooks and product table, loaded word by word."""

from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, enum, wiring
from amaranth.utils import ceil_log2, exact_log2

from golden.exact.levels import LEVELS_MAX, STEP_BITS
from golden.exact.spec import FACTOR_BITS
from hw.engine_spec import EngineSpec
from hw.formats import INDEX_BITS
from hw.stream.component import In, InStream, Out, Sized
from hw.token.token_scale import FACTOR


class Select(enum.Enum, shape=3):
    """What a load word is written to; what its address means; where its bits go."""

    SIZE = 0  # address as of :class:`Size`
    A_CENTROID = 1  # address: number of the activation centroid
    W_CENTROID = 2  # address: number of the weight centroid
    TABLE = 3  # address: 16 * number of the activation centroid + that of the weight centroid
    CHANNEL = 4  # address: output channel, the first of several; word: spec.channel
    LEVEL = 5  # address: number of the level; word: the level, and above it where it begins


class Size(enum.Enum, shape=3):
    """Addresses of the words that say how large the layer is."""

    INPUTS = 0
    OUTPUTS = 1
    K_TOP = 2
    LAST_CENTROID = 3
    FACTOR = 4  # mantissa in bits 0 to 15, exponent above
    CLEAR_FLAGS = 5  # the word does not matter
    DIGITS = 6  # of a residual row


class LayerConstants(Sized[EngineSpec]):
    """Hold what an engine knows of its layer, but for the weights.

    The specification says in which numbers: integers, or FP16 patterns of all but the activation
    codebook, which decides about clusters. With ``spec.loads_ahead`` words are those of the next
    layer, while the constants of this one hold until ``begin``.

    Timing
    ------
    Latency : ``LATENCY`` cycle from a transfer, or from ``begin``, to the constant; none to the
        strobes.
    Rate : one word per cycle while ``idle``; with ``spec.loads_ahead``, always.
    Through paths : ``idle`` to ``i.ready``; ``i`` to the channel's ports and the strobes; with
        ``spec.loads_ahead``, ``begin`` to ``clear_flags``.
    Reset : everything becomes zero.
    """

    LATENCY = 1

    idle = In(1)
    """Whether words may be taken: no token is under way."""
    begin = In(lambda c: 1 if c.spec.loads_ahead else None)
    """Strobe, while no token is under way: what has been loaded holds, and flags are cleared."""
    i = InStream(lambda c: c.word)
    """``select`` (:class:`Select`), ``address`` and ``word``. Activation centroids and table
    entries are two's complement, weight centroids magnitudes with the sign above; when symmetric,
    all are magnitudes of the positive half.
    """
    shape = Out(lambda c: c.spec.shape)
    """Size of the layer."""
    factor = Out(FACTOR)
    """Factor of the token scale."""
    outputs = Out(lambda c: range(c.spec.outputs_max + 1))
    """N, as in ``shape``."""
    compensated = Out(1)
    """Whether tokens have outliers."""
    a_centroids = Out(lambda c: c.spec.activation_codebook)
    """Activation codebook; not where rows are made."""
    w_centroids = Out(lambda c: c.spec.weight_codebook)
    """Weight codebook."""
    product_table = Out(lambda c: c.spec.product_table)
    """Product table; not where rows are made."""
    levels = Out(lambda c: c.spec.level_codebook)
    """Levels of activations, where these can be snapped."""
    channel_en = Out(1)
    """Strobe: the word taken in this cycle belongs to an output channel."""
    channel_address = Out(lambda c: range(c.spec.outputs_max))
    """Which one, or the first of those that come together."""
    channel = Out(lambda c: c.spec.channel)
    """Its scale and bias."""
    channel_bank = Out(lambda c: 1 if c.spec.loads_ahead else None)
    """Which of two banks the channels of this layer are in; words go to the other one."""
    clear_flags = Out(1)
    """Strobe: the flags are to be cleared."""

    def __init__(self, spec: EngineSpec) -> None:
        self.word = data.StructLayout(
            {
                "select": Select,
                "address": max(spec.code_bits + INDEX_BITS, ceil_log2(spec.outputs_max)),
                "word": spec.channel.size,
            }
        )
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        select, address, word = (self.i.payload[n] for n in ("select", "address", "word"))
        ahead = self.spec.loads_ahead
        self._held = self._next(m) if ahead else {n: getattr(self, n) for n in self._names()}
        m.d.comb += [
            self.i.ready.eq(1 if ahead else self.idle),
            self.channel_address.eq(address),
            self.channel.eq(word),
            self.outputs.eq(self.shape.outputs),
            self.compensated.eq(self.shape.k_top != 0),
        ]
        with m.If(self.i.valid & self.i.ready):
            with m.Switch(select):
                with m.Case(Select.SIZE):
                    self._take_size(m, address, word)
                with m.Case(Select.W_CENTROID):
                    m.d.sync += self._held["w_centroids"][address].eq(word)
                if not self.spec.numbers.made:
                    with m.Case(Select.A_CENTROID):
                        m.d.sync += self._held["a_centroids"][address].eq(word)
                    with m.Case(Select.TABLE):
                        m.d.sync += self._entry(address).eq(word)
                if self.spec.snaps:
                    with m.Case(Select.LEVEL):
                        self._take_level(m, address[: exact_log2(LEVELS_MAX)], word)
                with m.Case(Select.CHANNEL):
                    m.d.comb += self.channel_en.eq(1)

    def _names(self) -> list[str]:
        """Return the constants that words are written to."""
        names = ("shape", "factor", "a_centroids", "w_centroids", "levels", "product_table")
        return [name for name in names if name in self.signature.members]

    def _next(self, m: Module) -> dict[str, Any]:
        """Return the next layer's constants; with ``begin`` they become this layer's."""
        held, fresh = {}, Signal()
        for name in self._names():
            constant = getattr(self, name)
            held[name] = Signal(constant.shape(), name=f"next_{name}")
            with m.If(self.begin):
                m.d.sync += constant.eq(held[name])
        m.d.comb += self.clear_flags.eq(self.begin)
        m.d.sync += fresh.eq(self.channel_en | (fresh & ~self.begin))
        with m.If(self.begin):
            m.d.sync += self.channel_bank.eq(self.channel_bank ^ fresh)
        return held

    def give(self, m: Module, part: Any) -> None:
        """Connect every input of a part that has a constant's name and layout."""
        wanted = part.signature.members
        for name, member in self.signature.members.items():
            if member.flow == wiring.Out and name in wanted and wanted[name] == member.flip():
                m.d.comb += getattr(part, name).eq(getattr(self, name))

    def _entry(self, number: Any) -> Any:
        """Return an entry of the product table: by row and column, or by the bin's number."""
        layout: Any = self.spec.product_table
        table = self._held["product_table"]
        if isinstance(layout.elem_shape, data.ArrayLayout):
            row = number[INDEX_BITS : INDEX_BITS + self.spec.code_bits]
            return table[row][number[:INDEX_BITS]]
        return table[number[: INDEX_BITS + self.spec.code_bits]]

    def _take_level(self, m: Module, number: Value, word: Signal) -> None:
        """Take a level, and where it begins but for the first of them."""
        levels = self._held["levels"]
        m.d.sync += levels.value[number].eq(word)
        for n, first in enumerate(levels.first, 1):
            with m.If(number == n):
                m.d.sync += first.eq(word[STEP_BITS:])

    def _take_size(self, m: Module, address: Signal, word: Signal) -> None:
        shape, factor = self._held["shape"], self._held["factor"]
        with m.Switch(address):
            for size, target in (
                (Size.INPUTS, shape.inputs),
                (Size.OUTPUTS, shape.outputs),
                (Size.K_TOP, shape.k_top),
                (Size.LAST_CENTROID, shape.last_centroid),
                (Size.DIGITS, shape.digits),
            ):
                with m.Case(size.value):
                    m.d.sync += target.eq(word)
            with m.Case(Size.FACTOR.value):
                m.d.sync += factor.mantissa.eq(word[:FACTOR_BITS])
                m.d.sync += factor.exponent.eq(word[FACTOR_BITS:])
            if not self.spec.loads_ahead:
                with m.Case(Size.CLEAR_FLAGS.value):
                    m.d.comb += self.clear_flags.eq(1)
