"""Outlier residual: how far an outlier lies from its centroid, in token scales."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.spec import A_FRACTION_BITS, RATIO_INTEGER_BITS, RECIPROCAL_SHIFT, SCALE_BITS
from hw.common.pipeline import stage
from hw.common.share import share
from hw.common.shifts import shift_right
from hw.engine_spec import INDEX_BITS, SCALE, EngineSpec
from hw.token.clustering_unit import ClusteringUnit, thresholds_layout
from hw.token.reciprocal import QUOTIENT_BITS

RATIO_BITS = RATIO_INTEGER_BITS + A_FRACTION_BITS
RESIDUAL_BITS = RATIO_BITS + 1  # its magnitude: a centroid can be on the other side of zero


class OutlierResidual(wiring.Component):
    """Compute x / s_a - C_A[a] of each outlier, in units of 2**-10.

    Bit-exact with :func:`golden.residual.ratio` less the centroid. A repeated outlier, which is
    compensated already, has a residual of zero.

    Parameters
    ----------
    spec : EngineSpec
        Form of the codebook.

    Ports
    -----
    a_centroids : In(array of centroids)
        As for :class:`hw.token.midpoint_scaler.MidpointScaler`.
    scale : In(``SCALE``)
        The token's scale. This and the next two are steady while its outliers are under way.
    thresholds : In(``thresholds_layout(symmetric)``)
        The token's cluster boundaries.
    reciprocal : In(18)
        Of the scale's mantissa.
    i : In(stream of spec.outlier)
        Outliers.
    o : Out(stream of ``residual``)
        Magnitude and sign, whether the ratio took its largest value, and the position.

    Timing
    ------
    Latency : ``LATENCY`` cycles from a transfer on ``i`` to ``o.valid``.
    Rate : one outlier per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``i.ready``, combinational.
    Reset : drops the outliers in flight.
    """

    LATENCY = 5

    a_centroids: data.View
    scale: data.View
    thresholds: data.View
    reciprocal: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        shape = (unsigned if spec.numbers.symmetric else signed)(spec.centroid_bits)
        self.residual = data.StructLayout(
            {
                "magnitude": RESIDUAL_BITS,
                "negative": 1,
                "saturated": 1,
                "position": spec.position_bits,
            }
        )
        ports = {
            "a_centroids": In(data.ArrayLayout(shape, spec.entries)),
            "scale": In(SCALE),
            "thresholds": In(thresholds_layout(spec.numbers.symmetric)),
            "reciprocal": In(QUOTIENT_BITS),
            "i": In(stream.Signature(spec.outlier)),
            "o": Out(stream.Signature(self.residual)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        advance = ~self.o.valid | self.o.ready
        valid = Signal(self.LATENCY)
        m.d.comb += [self.i.ready.eq(advance), self.o.valid.eq(valid[-1])]
        with m.If(advance):
            m.d.sync += valid.eq(Cat(self.i.valid, valid))

        # 1: the key as FP16. 2: times the reciprocal. 3: rounded to a ratio. 4: less the centroid.
        key = self.i.payload.key
        bits = stage(m, advance, Cat(abs(key)[:15], key < 0))
        product = stage(m, advance, self._mantissa(bits) * self.reciprocal)
        later = stage(m, advance, bits)
        ratio, beyond = self._round(m, later, product)
        ratio, beyond = stage(m, advance, ratio), stage(m, advance, beyond)
        centroid = stage(m, advance, self._centroid(m, platform, later))
        negative = stage(m, advance, later[15])
        difference = Signal(signed(RESIDUAL_BITS + 1))
        m.d.comb += difference.eq(Mux(negative, -ratio, ratio) - centroid)
        difference, beyond = stage(m, advance, difference), stage(m, advance, beyond)

        position, repeated = self.i.payload.position, self.i.payload.repeated
        for _ in range(self.LATENCY - 1):
            position, repeated = stage(m, advance, position), stage(m, advance, repeated)
        with m.If(advance):
            m.d.sync += [
                self.o.payload.magnitude.eq(Mux(repeated, 0, abs(difference)[:RESIDUAL_BITS])),
                self.o.payload.negative.eq(difference < 0),
                self.o.payload.saturated.eq(beyond & ~repeated),
                self.o.payload.position.eq(position),
            ]
        return m

    @staticmethod
    def _mantissa(bits: Signal):
        return Cat(bits[:10], bits[10:15].any())

    def _round(self, m: Module, bits: Signal, product: Signal) -> tuple:
        """Return |x / s_a|, halves away from zero, and whether it is too large for its bits."""
        exponent = bits[10:15]
        shift = Signal(signed(8))  # the product is the ratio times 2**shift
        offset = RECIPROCAL_SHIFT - A_FRACTION_BITS + 25
        m.d.comb += shift.eq(self.scale.exponent + offset - Mux(exponent.any(), exponent, 1))
        distance = Signal(5)
        m.d.comb += distance.eq(Mux(shift < 1, 0, Mux(shift > 31, 30, shift - 1)))
        halves, _ = shift_right(m, product, distance, "halves")
        rounded = Signal(SCALE_BITS + QUOTIENT_BITS)
        m.d.comb += rounded.eq((halves + 1) >> 1)
        beyond = rounded[RATIO_BITS:].any() | ((shift < 1) & self._mantissa(bits).any())
        return Mux(beyond, (1 << RATIO_BITS) - 1, rounded[:RATIO_BITS]), beyond

    def _centroid(self, m: Module, platform: object, bits: Signal) -> Signal:
        """Return the centroid nearest to an activation, with its sign."""
        unit = ClusteringUnit(self.spec.numbers.symmetric)
        m.submodules.unit = share(platform, unit)
        centroid = Signal(signed(self.spec.centroid_bits + 1))
        m.d.comb += [unit.activation.eq(bits), unit.thresholds.eq(self.thresholds)]
        # A symmetric code carries the sign; other centroids are two's complement.
        if self.spec.numbers.symmetric:
            stored = self.a_centroids[unit.code[: INDEX_BITS - 1]]
            m.d.comb += centroid.eq(Mux(unit.code[-1], -stored, stored))
        else:
            m.d.comb += centroid.eq(self.a_centroids[unit.code])
        return centroid
