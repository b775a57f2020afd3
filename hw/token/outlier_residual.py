"""Outlier residual: how far an outlier lies from its centroid, in token scales."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed

from golden.exact.levels import Form
from golden.exact.spec import (
    A_FRACTION_BITS,
    GRID_BITS,
    GRID_FRACTION_BITS,
    RECIPROCAL_SHIFT,
)
from hw.arith.long_arithmetic import long_sum, negated_if
from hw.arith.shifts import shift_right
from hw.engine_spec import EngineSpec
from hw.formats import FORM, SCALE
from hw.stream.component import In, InStream, OutStream, Sized
from hw.stream.pipeline import Pipeline, Staged, flow, scratch
from hw.stream.share import looked_at
from hw.token.clustering_unit import ClusteringUnit
from hw.token.coding import coding_unit, measure_layout, prepared
from hw.token.grid_unit import grid_code
from hw.token.level_unit import LevelUnit
from hw.token.quotient import quotient
from hw.token.reciprocal import QUOTIENT_BITS

SPARE = 1  # more bits than needed, as even the largest ratio of the longest token then moves


class OutlierResidual(Sized[EngineSpec]):
    """Compute x / s_a - C_A[a] of each outlier, in units of 2**-10.

    Bit-exact with :func:`golden.exact.residual.ratio` less the centroid, or less the grid's step
    where rows are made, or its level if it is snapped. A repeated outlier, which is compensated
    already, has a residual of zero.

    Timing
    ------
    Latency : ``latency`` cycles from a transfer on ``i`` to ``o.valid``.
    Rate : one outlier per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``i.ready``, combinational.
    Reset : drops the outliers in flight.
    """

    a_centroids = In(lambda c: c.spec.activation_codebook)
    """As for :class:`hw.token.midpoint_scaler.MidpointScaler`; not where rows are made."""
    scale = In(SCALE)
    """The token's scale. This and the next two are steady while its outliers are under way."""
    measure = In(lambda c: measure_layout(c.spec))
    """As for :class:`hw.token.cluster_pass.ClusterPass`."""
    reciprocal = In(QUOTIENT_BITS)
    """Of the scale's mantissa."""
    levels = In(lambda c: c.spec.level_codebook)
    """As for :class:`hw.token.cluster_pass.ClusterPass`; this and the next one only where codes can
    be snapped.
    """
    form = In(lambda c: FORM if c.spec.snaps else None)
    """The same."""
    i = InStream(lambda c: c.spec.outlier)
    """Outliers."""
    o = OutStream(lambda c: c.spec.outlier_residual)
    """Magnitude and sign, and the position."""

    def __init__(self, spec: EngineSpec) -> None:
        super().__init__(spec)
        self.latency = self._residual(scratch(), self._unit(looked_at)).depth

    def build(self, m: Module) -> None:  # noqa: D102
        unit = self._unit(lambda unit: self.put(m, "unit", unit))
        if isinstance(unit, LevelUnit):
            m.d.comb += [unit.levels.eq(self.levels), unit.form.eq(self.form)]
        pipe = Pipeline(m, flow(m, self.i, self.o, self.latency))
        m.d.comb += self.o.payload.eq(self._residual(pipe, unit).value)

    def _unit(self, put: Callable[[Any], Any]) -> ClusteringUnit | LevelUnit | None:
        """Return a unit, put somewhere: for clusters, or for levels; whole grids need none."""
        if self.spec.numbers.made:
            return put(LevelUnit()) if self.spec.snaps else None
        return put(coding_unit(self.spec))

    def _residual(self, pipe: Pipeline, unit: ClusteringUnit | LevelUnit | None) -> Staged:
        """Return the residual, as many stages behind the input as it takes.

        Relative to the activation's sign, so that one subtraction does.
        """
        outlier, bits_wide = self.i.payload, self.spec.ratio_bits + 1
        position, repeated = pipe.start(outlier.position, outlier.repeated)
        bits = pipe.stage(lambda key: Cat(abs(key)[:15], key < 0), *pipe.start(outlier.key))
        negative = Staged(bits.value[15], bits.depth)
        ratio = self._ratio(pipe, bits)
        if isinstance(unit, ClusteringUnit):
            centroid = self._centroid(pipe, unit, bits)
        else:
            code = grid_code(pipe, bits, self.measure)
            centroid = pipe.stage(_step, self._snapped(pipe, unit, code) if unit else code)

        # ratio - centroid = ratio + ~centroid + 1, the centroid with the activation's sign.
        def subtrahend(centroid: Value, negative: Value) -> Value:
            wide = Signal(signed(bits_wide + 1), name="centroid")
            pipe.m.d.comb += wide.eq(centroid.as_signed())
            return Cat(wide ^ (~negative).replicate(len(wide)), ~negative)

        addend = pipe.stage(subtrahend, centroid, negative)
        inverted = Staged(addend.value[:-1], addend.depth)
        carry = Staged(addend.value[-1], addend.depth)
        difference = long_sum(pipe, ratio, inverted, carry=carry)
        turned = Staged(difference.value[bits_wide], difference.depth)
        low = Staged(difference.value[:bits_wide], difference.depth)
        magnitude = negated_if(pipe, turned, low)

        def finish(magnitude, turned, negative, repeated, position):
            some = magnitude.any() & ~repeated
            return Cat(Mux(repeated, 0, magnitude), some & (negative ^ turned), position)

        return pipe.stage(finish, magnitude, turned, negative, repeated, position)

    def _ratio(self, pipe: Pipeline, bits: Staged) -> Staged:
        """Return |x / s_a|, halves away from zero."""
        places = RECIPROCAL_SHIFT - A_FRACTION_BITS + SPARE
        product, shift = quotient(pipe, bits, self.reciprocal, self.scale.exponent, places)

        def shifted(product: Value, shift: Value) -> Value:
            return shift_right(pipe.m, Cat(Const(0, SPARE), product), shift, "halves")[0]

        halves = pipe.stage(shifted, product, shift)
        bits_kept = self.spec.ratio_bits
        return pipe.stage(lambda halves: ((halves[: bits_kept + 1] + 1) >> 1)[:bits_kept], halves)

    def _snapped(self, pipe: Pipeline, unit: LevelUnit, code: Staged) -> Staged:
        """Return the code, or its level where the form has levels."""
        pipe.m.d.comb += unit.code.eq(code.value)
        return Staged(Mux(self.form == Form.A8, code.value, unit.snapped), code.depth)

    def _centroid(self, pipe: Pipeline, unit: ClusteringUnit, bits: Staged) -> Staged:
        """Return the centroid nearest to an activation, in two's complement."""
        # A register that drives nothing else.
        activation = pipe.stage(lambda bits: prepared(self.spec, bits), bits)
        depth = activation.depth
        pipe.m.d.comb += [unit.activation.eq(activation.value), unit.measure.eq(self.measure)]
        if unit.latency:
            pipe.m.d.comb += unit.en.eq(pipe.advance)
        code = pipe.stage(lambda code: code, Staged(unit.code, depth + unit.latency))
        if not self.spec.numbers.symmetric:
            return pipe.stage(lambda code: self.a_centroids[code], code)
        # The code carries the sign.
        stored = pipe.stage(lambda code: Cat(self.a_centroids[code[:-1]], code[-1]), code)
        sign = Staged(stored.value[-1], stored.depth)
        wide = Staged(Cat(stored.value[:-1], Const(0, 1)), stored.depth)
        return negated_if(pipe, sign, wide)


def _step(code: Value) -> Value:
    """Return a step of the grid in units of 2**-10, in two's complement."""
    magnitude = Cat(Const(0, A_FRACTION_BITS - GRID_FRACTION_BITS), code[: GRID_BITS - 1])
    return Mux(code[-1], -magnitude, magnitude)
