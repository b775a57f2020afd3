"""Error store: keeps what each outlier is beyond its centroid, and which input channel it is."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, signed
from amaranth.lib import data

from golden.exact.spec import A_FRACTION_BITS, CENTROID_BITS
from hw.formats import INDEX_BITS
from hw.fp16.fp16_from_integer import Fp16FromInteger
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.counter.residual_store import ResidualStore
from hw.linear.counter_fp16.dequant_unit import CODEBOOK
from hw.linear.counter_fp16.error_unit import ErrorUnit
from hw.linear.counter_fp16.fp16_token_scale import Fp16TokenScale
from hw.stream.pipeline import later
from hw.token.coding import coding_unit, prepared

CODES = 1 << INDEX_BITS


class ErrorStore(ResidualStore):
    """Take a token's outliers, one per cycle, for the FP16 compensation MACs.

    Bit-exact with :func:`golden.exact.counter_fp16.error_units`. It has the ports of
    :class:`hw.linear.counter.residual_store.ResidualStore`, with an FP16 error a word in ``rows``.
    ``reciprocal`` is not used. One after the other the activation centroids
    are turned into FP16, all the time, so they must be steady for ``SETTLING`` cycles before a
    token.
    """

    CODED = 3  # cycles from an outlier to its code, while the scale becomes FP16
    SETTLING = CODES + 2 + Fp16FromInteger.STAGES

    def __init__(self, spec: CounterSpec) -> None:
        super().__init__(spec)
        self.fill = self.CODED + ErrorUnit.LATENCY

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        wanting, busy = Signal(), Signal()
        asked, count = (
            Signal(range(2 * spec.outliers_max + 1), name=n) for n in ("asked", "count")
        )
        taken = Signal()
        m.d.comb += [self.i.ready.eq(wanting), taken.eq(self.i.valid & wanting)]
        self.until_all(m, wanting, asked, taken)

        clustering = self.put(m, "clustering", coding_unit(spec))
        unit = self.put(m, "unit", ErrorUnit())
        scale = self.put(m, "scale", Fp16TokenScale())
        # 1: the key as FP16. 2: its code. 3: another cycle, as the scale takes three.
        key = self.i.payload.key
        x, code = Signal(16, reset_less=True), Signal(INDEX_BITS, reset_less=True)
        m.d.sync += [x.eq(Cat(abs(key)[:15], key < 0)), code.eq(clustering.code)]
        m.d.comb += [
            clustering.activation.eq(prepared(spec, x)),
            clustering.measure.eq(self.measure),
            scale.i.eq(self.scale),
            unit.codebook.eq(self._codebook(m)),
            unit.code.eq(later(m, code, 1)),
            unit.x.eq(later(m, x, 2)),
            unit.live.eq(later(m, ~self.i.payload.repeated, self.CODED)),
            unit.scale.eq(scale.o),
        ]

        write = Signal(self.fill)
        m.d.sync += write.eq(Cat(taken, write))
        m.d.comb += [
            self.finished.eq(~busy),
            self.rows.en.eq(write[-1]),
            self.rows.address.eq(count),
            self.rows.data.eq(unit.o),
            self.positions.en.eq(write[-1]),
            self.positions.address.eq(count),
            self.positions.data.eq(later(m, self.i.payload.position, self.fill)),
        ]
        self.until_all(m, busy, count, write[-1])

    def _codebook(self, m: Module) -> data.View:
        """Return the centroids in FP16, by code."""
        spec = self.spec
        convert = self.put(m, "convert", Fp16FromInteger(CENTROID_BITS, pipelined=True))
        number = Signal(INDEX_BITS)
        chosen = Signal(signed(CENTROID_BITS), reset_less=True)
        m.d.sync += number.eq(number + 1)
        if spec.numbers.symmetric:
            stored = self.a_centroids[number[:-1]]
            m.d.sync += chosen.eq(Mux(number[-1], -stored, stored))
        else:
            m.d.sync += chosen.eq(self.a_centroids[number])
        m.d.comb += convert.i.eq(chosen)
        # An integer is in units of 2**-10: all but zero have a larger exponent than that.
        pattern = Signal(16)
        exponent = convert.o[10:15]
        lower = Mux(exponent.any(), exponent - A_FRACTION_BITS, 0)
        m.d.comb += pattern.eq(Cat(convert.o[:10], lower[:5], convert.o[15]))
        codebook = Signal(CODEBOOK, reset_less=True)
        place = later(m, number, 1 + convert.latency)
        m.d.sync += Array(codebook[n] for n in range(CODES))[place].eq(pattern)
        return codebook
