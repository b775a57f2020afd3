"""Outlier residual: how far an outlier lies from its centroid, in token scales."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data

from golden.exact.spec import A_FRACTION_BITS, RATIO_INTEGER_BITS, RECIPROCAL_SHIFT
from hw.arith.long_arithmetic import long_product, long_sum, negated_if
from hw.arith.shifts import shift_right
from hw.engine_spec import EngineSpec
from hw.formats import INDEX_BITS, SCALE
from hw.stream.component import In, InStream, OutStream, Sized
from hw.stream.pipeline import Pipeline, Staged, flow, scratch
from hw.stream.share import looked_at
from hw.token.clustering_unit import ClusteringUnit, ordered, thresholds_layout
from hw.token.reciprocal import QUOTIENT_BITS

RATIO_BITS = RATIO_INTEGER_BITS + A_FRACTION_BITS
RESIDUAL_BITS = RATIO_BITS + 1  # its magnitude: a centroid can be on the other side of zero


class OutlierResidual(Sized[EngineSpec]):
    """Compute x / s_a - C_A[a] of each outlier, in units of 2**-10.

    Bit-exact with :func:`golden.exact.residual.ratio` less the centroid. A repeated outlier, which
    is compensated already, has a residual of zero.

    Timing
    ------
    Latency : ``latency`` cycles from a transfer on ``i`` to ``o.valid``.
    Rate : one outlier per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``i.ready``, combinational.
    Reset : drops the outliers in flight.
    """

    a_centroids = In(lambda c: c.spec.codebook)
    """As for :class:`hw.token.midpoint_scaler.MidpointScaler`."""
    scale = In(SCALE)
    """The token's scale. This and the next two are steady while its outliers are under way."""
    thresholds = In(lambda c: thresholds_layout(c.spec.numbers.symmetric))
    """The token's cluster boundaries."""
    reciprocal = In(QUOTIENT_BITS)
    """Of the scale's mantissa."""
    i = InStream(lambda c: c.spec.outlier)
    """Outliers."""
    o = OutStream(lambda c: c.residual)
    """Magnitude and sign, whether the ratio took its largest value, and the position."""

    def __init__(self, spec: EngineSpec) -> None:
        self.residual = data.StructLayout(
            {
                "magnitude": RESIDUAL_BITS,
                "negative": 1,
                "saturated": 1,
                "position": spec.position_bits,
            }
        )
        super().__init__(spec)
        unit = looked_at(ClusteringUnit(spec.numbers.symmetric))
        self.latency = self._residual(scratch(), unit).depth

    def build(self, m: Module) -> None:  # noqa: D102
        unit = self.put(m, "unit", ClusteringUnit(self.spec.numbers.symmetric))
        pipe = Pipeline(m, flow(m, self.i, self.o, self.latency))
        m.d.comb += self.o.payload.eq(self._residual(pipe, unit).value)

    def _residual(self, pipe: Pipeline, unit: ClusteringUnit) -> Staged:
        """Return the residual, as many stages behind the input as it takes.

        Relative to the activation's sign, so that one subtraction does.
        """
        outlier = self.i.payload
        position, repeated = pipe.start(outlier.position, outlier.repeated)
        bits = pipe.stage(lambda key: Cat(abs(key)[:15], key < 0), *pipe.start(outlier.key))
        negative = Staged(bits.value[15], bits.depth)
        ratio, beyond = self._ratio(pipe, bits)
        centroid = self._centroid(pipe, unit, bits)

        # ratio - centroid = ratio + ~centroid + 1, the centroid with the activation's sign.
        def subtrahend(centroid: Value, negative: Value) -> Value:
            wide = Signal(signed(RESIDUAL_BITS + 1), name="centroid")
            pipe.m.d.comb += wide.eq(centroid.as_signed())
            return Cat(wide ^ (~negative).replicate(len(wide)), ~negative)

        addend = pipe.stage(subtrahend, centroid, negative)
        inverted = Staged(addend.value[:-1], addend.depth)
        carry = Staged(addend.value[-1], addend.depth)
        difference = long_sum(pipe, ratio, inverted, carry=carry)
        turned = Staged(difference.value[RESIDUAL_BITS], difference.depth)
        low = Staged(difference.value[:RESIDUAL_BITS], difference.depth)
        magnitude = negated_if(pipe, turned, low)

        def finish(magnitude, turned, negative, beyond, repeated, position):
            some = magnitude.any() & ~repeated
            return Cat(
                Mux(repeated, 0, magnitude),
                some & (negative ^ turned),
                beyond & ~repeated,
                position,
            )

        return pipe.stage(finish, magnitude, turned, negative, beyond, repeated, position)

    def _ratio(self, pipe: Pipeline, bits: Staged) -> tuple[Staged, Staged]:
        """Return |x / s_a|, halves away from zero, and whether it is too large for its bits."""
        m = pipe.m
        scale, reciprocal = self.scale, Staged(self.reciprocal, bits.depth)  # steady

        def find_shift(bits: Value) -> Value:
            exponent = bits[10:15]
            shift = Signal(signed(8))  # the product is the ratio times 2**shift
            offset = RECIPROCAL_SHIFT - A_FRACTION_BITS + 25
            m.d.comb += shift.eq(scale.exponent + offset - Mux(exponent.any(), exponent, 1))
            distance = Mux(shift < 1, 0, Mux(shift > 31, 30, shift - 1))[:5]
            return Cat(distance, (shift < 1) & bits[:15].any())

        shift = pipe.stage(find_shift, bits)
        mantissa = Staged(Cat(bits.value[:10], bits.value[10:15].any()), bits.depth)
        product = long_product(pipe, reciprocal, mantissa)
        halves = pipe.stage(
            lambda product, shift: shift_right(m, product, shift[:5], "halves")[0], product, shift
        )
        rounded = pipe.stage(lambda halves: (halves + 1) >> 1, halves)
        beyond = pipe.stage(
            lambda rounded, shift: rounded[RATIO_BITS:].any() | shift[5], rounded, shift
        )
        largest = Const((1 << RATIO_BITS) - 1, RATIO_BITS)
        ratio = pipe.stage(
            lambda rounded, beyond: Mux(beyond, largest, rounded[:RATIO_BITS]), rounded, beyond
        )
        return ratio, beyond

    def _centroid(self, pipe: Pipeline, unit: ClusteringUnit, bits: Staged) -> Staged:
        """Return the centroid nearest to an activation, in two's complement."""
        # A register that drives nothing else.
        activation = pipe.stage(lambda bits: ordered(bits, symmetric=unit.symmetric), bits)
        depth = activation.depth
        pipe.m.d.comb += [unit.activation.eq(activation.value), unit.thresholds.eq(self.thresholds)]
        code = pipe.stage(lambda code: code, Staged(unit.code, depth))
        if not self.spec.numbers.symmetric:
            return pipe.stage(lambda code: self.a_centroids[code], code)
        # The code carries the sign.
        stored = pipe.stage(
            lambda code: Cat(self.a_centroids[code[: INDEX_BITS - 1]], code[-1]), code
        )
        sign = Staged(stored.value[-1], stored.depth)
        wide = Staged(Cat(stored.value[:-1], Const(0, 1)), stored.depth)
        return negated_if(pipe, sign, wide)
