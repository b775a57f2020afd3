"""Bounds of a cached vector's codes: thresholds times its scale, as FP16 numbers."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data

from golden.exact.cache_codes import FP16_BIAS, HALF_STEP, MAGNITUDES
from golden.exact.spec import GRID_BITS, SCALE_BITS
from hw.arith.bits import choose
from hw.arith.columns import compress, register, rows
from hw.arith.shifts import normalise
from hw.arith.wires import wire
from hw.formats import SCALE
from hw.stream.component import Component, In, InStream, OutStream
from hw.stream.pipeline import later

BOUNDS = MAGNITUDES - 1
BOUND_BITS = 15  # FP16 without its sign
THRESHOLDS = data.ArrayLayout(GRID_BITS - 1, BOUNDS)
PRODUCT_BITS = GRID_BITS + SCALE_BITS  # where the leading bit of a threshold is at its top
ROUNDED = SCALE_BITS - 1  # bits behind the leading one
BEYOND = 31  # exponent field of infinity


class CacheBounds(Component):
    """Multiply each threshold by a scale, one a cycle: the least numbers that reach them.

    Bit-exact with :func:`golden.exact.cache_codes.threshold_bounds`.

    Timing
    ------
    Latency : ``LATENCY`` cycles from the first cycle in which ``i.valid`` is high, with none
        waiting on ``o``, to ``o.valid``.
    Rate : one scale at a time, which is taken ``BEHIND`` cycles before ``o.valid``.
    Through paths : none.
    Reset : drops the scale under way.
    """

    BEHIND = 3
    LATENCY = BOUNDS + BEHIND

    thresholds = In(THRESHOLDS)
    """1 to 127 each. Steady while a scale is under way."""
    i = InStream(SCALE)
    """A scale; its exponent is -24 or more."""
    o = OutStream(data.ArrayLayout(BOUND_BITS, BOUNDS))
    """FP16 patterns without their sign."""

    def build(self, m: Module) -> None:  # noqa: D102
        turn = Signal(BOUNDS, init=1)  # one bit for each threshold
        valid, last, ends = Signal(self.BEHIND), Signal(self.BEHIND), Signal()
        going = wire(m, self.i.valid & ~last.any() & ~self.o.valid, "going")
        m.d.comb += [ends.eq(going & turn[-1]), self.i.ready.eq(last[0])]
        m.d.sync += [valid.eq(Cat(going, valid)), last.eq(Cat(ends, last))]
        with m.If(going):
            m.d.sync += turn.eq(turn.rotate_left(1))
        held, bound = self.o.payload.as_value(), self._bound(m, *self._product(m, turn))
        with m.If(valid[-1]):
            m.d.sync += held.eq(Cat(held[BOUND_BITS:], bound))
        with m.If(last[-1]):
            m.d.sync += self.o.valid.eq(1)
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)

    def _product(self, m: Module, turn: Value) -> tuple[Value, Value]:
        """Multiply; return the product's upper bits, and its exponent field if the top one is 0."""
        threshold = choose(*zip(turn, self.thresholds, strict=True))
        # In half steps the odd number below it.
        odd = wire(m, Cat(Const(1, 1), wire(m, threshold - 1, "less")[: GRID_BITS - 1]), "odd")
        normal, zeros = normalise(m, odd, "factor", (4, 2, 1))
        factor = Signal(GRID_BITS, name="s1_factor", reset_less=True)
        down = Signal(3, name="s1_down", reset_less=True)
        m.d.sync += [factor.eq(normal), down.eq(zeros)]
        scale = self.i.payload
        columns: list[list[Value]] = [[] for _ in range(PRODUCT_BITS)]
        for place, bit in enumerate(factor):
            row = wire(m, scale.mantissa & bit.replicate(SCALE_BITS), f"row{place}")
            for n, one in enumerate(row, place):
                columns[n].append(one)
        terms = register(m, compress(m, columns, "product", width=PRODUCT_BITS), "s2_product")
        field = Signal(signed(7), name="s2_field", reset_less=True)
        places = PRODUCT_BITS - 1 - SCALE_BITS + FP16_BIAS - HALF_STEP
        m.d.sync += field.eq(scale.exponent + places - down)
        a, b = rows(terms)
        product = wire(m, (a + b)[:PRODUCT_BITS], "product")[PRODUCT_BITS - ROUNDED - 2 :]
        return later(m, product, 1), later(m, field, 1)

    def _bound(self, m: Module, product: Value, field: Value) -> Value:
        """Return a product as an FP16 number: cut; infinity where it is beyond those."""
        top = product[-1]
        exponent = wire(m, (field + top).as_signed()[:7].as_signed(), "exponent")
        mantissa = wire(m, Mux(top, product[1:], product[:-1]), "mantissa")
        small = wire(m, exponent < 1, "small")
        beyond = wire(m, exponent >= BEYOND, "beyond")
        by = wire(m, (1 - exponent)[:3] & small.replicate(3), "by")
        fraction = (mantissa >> by)[:ROUNDED] & ~beyond.replicate(ROUNDED)
        above = exponent[:5] & ~small.replicate(5) | beyond.replicate(5)
        return Cat(fraction, above)
