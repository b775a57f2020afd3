"""Midpoint scaler: a token's cluster boundaries as FP16 numbers."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data

from golden.exact.fp16 import INFINITY, MAX_FINITE
from golden.exact.spec import A_FRACTION_BITS, SCALE_BITS
from hw.arith.long_arithmetic import long_product, negated_if
from hw.arith.shifts import normalise, shift_right
from hw.arith.wires import wire
from hw.engine_spec import EngineSpec
from hw.formats import SCALE
from hw.stream.component import In, InStream, OutStream, Sized
from hw.stream.pipeline import Pipeline, Staged, scratch
from hw.token.clustering_unit import thresholds_layout

MIDPOINT_BITS = 18  # twice a midpoint, with its sign
FIELD = 14 - A_FRACTION_BITS - 1  # FP16's exponent field, less one, of twice a centroid's unit
LARGEST_FIELD = 29  # exponent field of the largest FP16 numbers, less one


class MidpointScaler(Sized[EngineSpec]):
    """Multiply the midpoints of neighbouring centroids by the token scale.

    Bit-exact with :func:`golden.exact.clustering.thresholds`. One multiplier, one midpoint per
    cycle.

    Timing
    ------
    Latency : ``latency`` cycles from a transfer on ``i`` to ``o.valid``.
    Rate : one token at a time; the next is taken once ``o`` has been.
    Through paths : none.
    Reset : drops the token under way.
    """

    centroids = In(lambda c: c.spec.activation_codebook)
    """Ascending, in units of 2**-10 token scales; the positive ones of a symmetric codebook."""
    last_centroid = In(lambda c: c.spec.code_bits)
    """Number of the last one in use, from 0. Midpoints beyond it become infinity."""
    i = InStream(SCALE)
    """Token scale."""
    o = OutStream(lambda c: c.layout)
    """The token's thresholds, held until taken."""

    def __init__(self, spec: EngineSpec) -> None:
        self.symmetric = spec.numbers.symmetric
        self.layout = thresholds_layout(spec.code_bits, symmetric=self.symmetric)
        super().__init__(spec)
        number = Signal(range(self.layout.length))
        depth = self._threshold(scratch(), number, Signal(SCALE)).depth
        self.latency = self.layout.length + depth + 1

    def build(self, m: Module) -> None:  # noqa: D102
        count = self.layout.length
        busy, issue = Signal(), Signal()
        number = Signal(range(count))
        scale = Signal(SCALE)
        m.d.comb += self.i.ready.eq(~busy)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [busy.eq(1), issue.eq(1), number.eq(0), scale.eq(self.i.payload)]
        with m.If(issue):
            m.d.sync += [number.eq(number + 1), issue.eq(number != count - 1)]

        done = self._threshold(Pipeline(m, 1), number, scale)
        valid = Signal(done.depth)
        m.d.sync += valid.eq(Cat(issue, valid))
        at, threshold = done.value[:-16], done.value[-16:]
        with m.If(valid[-1]):
            m.d.sync += self.o.payload[at].eq(threshold)
            with m.If(at == count - 1):
                m.d.sync += self.o.valid.eq(1)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [self.o.valid.eq(0), busy.eq(0)]

    def _threshold(self, pipe: Pipeline, number: Signal, scale: data.View) -> Staged:
        """Return a midpoint's number, and its threshold as the clustering unit compares with it."""
        (at,) = pipe.start(number)
        beyond = pipe.stage(lambda number: number >= self.last_centroid, at)
        # Twice the midpoint, so without a fraction, times the scale's mantissa.
        below, above = (
            pipe.stage(lambda number, n=n: Array(self._centroids(n))[number], at) for n in (0, 1)
        )

        def add(below: Value, above: Value) -> Value:
            midpoint = Signal(signed(MIDPOINT_BITS), name="midpoint")
            pipe.m.d.comb += midpoint.eq(below + above)
            return midpoint

        midpoint = pipe.stage(add, below, above)
        negative = Staged(midpoint.value[-1], midpoint.depth)
        magnitude = Staged(midpoint.value[:-1], midpoint.depth)
        if not self.symmetric:
            magnitude = negated_if(pipe, negative, magnitude)
        product = long_product(pipe, magnitude, Staged(scale.mantissa, magnitude.depth))
        floor, exact = _floor_pattern(pipe, product, Staged(scale.exponent, product.depth))

        def finish(floor, exact, negative, beyond):
            ceiling = Mux(beyond, INFINITY, floor + ~exact)
            if self.symmetric:
                return Cat(exact & ~beyond, ceiling[:15])
            below_zero = Mux(floor.any(), ~Cat(floor, Const(0, 1)), 0)
            return Mux(negative & ~beyond, below_zero, ceiling)[:16]

        threshold = pipe.stage(finish, floor, exact, negative, beyond)
        return Staged(Cat(pipe.at(at, threshold.depth), threshold.value), threshold.depth)

    def _centroids(self, first: int) -> list[Value]:
        """Return the centroids from one on, for every midpoint."""
        return [self.centroids[n + first] for n in range(self.layout.length)]


def _floor_pattern(pipe: Pipeline, product: Staged, scale: Staged) -> tuple[Staged, Staged]:
    """Return the FP16 magnitude at or below ``product * 2**scale``, and whether it is the same."""
    m, bits = pipe.m, len(product.value)

    def normal_and_field(so_far: Value, scale: Value) -> Value:
        """Return what is kept, whether there is more, and FP16's field, less one."""
        normal, zeros = normalise(m, so_far[:bits], "near", (4, 2, 1))
        zeros = Cat(zeros, so_far[bits:])
        # The exponent of the top bit; the hidden bit adds the one.
        field = Signal(signed(9), name="field")
        m.d.comb += field.eq(scale.as_signed() - zeros + FIELD + bits - 1)
        return Cat(normal[-SCALE_BITS:], normal[:-SCALE_BITS].any(), field)

    def denormalise(so_far: Value) -> Value:
        """Return the pattern and whether it is exact."""
        kept, inexact = so_far[:SCALE_BITS], so_far[SCALE_BITS]
        field = so_far[SCALE_BITS + 1 :].as_signed()
        # 11 bits shifted by 11 or more leave nothing.
        distance = wire(m, Mux(field >= 0, 0, Mux(field < -15, 15, -field))[:4], "distance")
        subnormal, lost = shift_right(m, kept, distance, "subnormal", sticky=inexact)
        floor = Signal(15, name="floor")
        exact = Signal(name="exact")
        with m.If(~kept[-1]):  # only zero is not normalised
            m.d.comb += [floor.eq(0), exact.eq(1)]
        with m.Elif(field > LARGEST_FIELD):
            m.d.comb += [floor.eq(MAX_FINITE), exact.eq(0)]
        with m.Else():
            exponent = Mux(field < 0, 0, field)[:5]
            m.d.comb += [floor.eq((exponent << 10) + subnormal), exact.eq(~lost)]
        return Cat(floor, exact)

    far = pipe.stage(lambda value: Cat(*normalise(m, value, "far", (16, 8))), product)
    scale = Staged(scale.value, far.depth)  # steady
    pattern = pipe.stage(denormalise, pipe.stage(normal_and_field, far, scale))
    return (Staged(pattern.value[:15], pattern.depth), Staged(pattern.value[15], pattern.depth))
