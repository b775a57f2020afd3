"""GELU: the line that a mantissa lies on, in tables of positive and of negative numbers."""

from collections.abc import Sequence
from functools import partial

from amaranth.hdl import Cat, Const, Module, Mux, Value

from golden.exact.functions import BIAS, SEGMENT_BITS, T_BITS
from golden.exact.gelu import FALLING, FIRST, FRACTION, GELUS, MORE, RISING, STARTS, TABLES
from hw.arith.bits import choose
from hw.arith.wires import wire
from hw.vector.function_float import Float
from hw.vector.function_parts import Flags, Placed, placed
from hw.vector.segments import Line, choice, look_up

ROW_BITS = 5
SCALE_BITS = 4
LINE_BITS = FRACTION - SEGMENT_BITS  # of a fraction that say where on a line it is, at most


def place(m: Module, x: Float, flags: Flags, *, name: str) -> Placed:
    """Look up GELU in the form of that name."""
    table, below, biased = TABLES[name], flags.sign, x.exponent[:5]
    fraction = x.mantissa[:FRACTION]
    falling = [wire(m, below & (biased == BIAS + e), f"{name}_in{e}") for e in FALLING]
    own = wire(m, Cat(falling).any(), f"{name}_own")
    falls = wire(m, own | (below & (biased == BIAS - 1) & fraction[-1]), f"{name}_falls")
    row, within = _row(m, fraction, biased, falling, name)
    index = wire(m, Cat(within[LINE_BITS:], row), f"{name}_place")
    t = Cat(Const(0, T_BITS - LINE_BITS), within[:LINE_BITS]) ^ falls.replicate(T_BITS)

    positive = look_up(m, index, t, f"{name}_positive", table.positive)
    negative = look_up(m, index, t, f"{name}_negative", table.negative)
    small = wire(m, biased < BIAS + FIRST, f"{name}_small")
    itself = wire(m, small | (~below & (biased > BIAS + RISING[-1])), f"{name}_itself")
    slope = Mux(below, negative.slope, positive.slope)
    line = Line(
        Mux(itself, Cat(Const(0, 2), x.mantissa), Mux(below, negative.base, positive.base)),
        slope & ~itself.replicate(len(slope)),
        t,
    )
    # Rows before those with scales have none.
    scales = [BIAS - 1 + scale for scale in table.scale.tolist()]
    scales = [scales[0]] * (len(table.negative.base) - len(scales)) + scales
    scale = wire(m, choice([Const(n, SCALE_BITS) for n in scales], index), f"{name}_scale")
    return placed(
        m,
        name,
        line,
        exponent=Mux(own, scale, biased - Mux(below | small, 2, 1)),
        sign=flags.sign,
        nan=flags.nan,
        infinite=flags.infinite & ~below,
        zero=below & (biased > BIAS + FALLING[-1]),
    )


def _row(
    m: Module, fraction: Value, biased: Value, falling: Sequence[Value], name: str
) -> tuple[Value, Value]:
    """Return the row of a number, and its place there as a fraction."""
    steep = [*zip(falling, STARTS.tolist(), MORE.tolist(), strict=True)][1:]
    flat = wire(m, ~Cat(flag for flag, _, _ in steep).any(), f"{name}_flat")
    rows: list[tuple[Value, Value]] = [(flat, (biased - (BIAS + FIRST))[:ROW_BITS])]
    places: list[tuple[Value, Value]] = [(flat, fraction)]
    for flag, start, more in steep:
        upper = fraction[FRACTION - more :]
        rows.append((flag, Cat(upper, Const(start >> more, ROW_BITS - more))))
        places.append((flag, Cat(Const(0, more), fraction[: FRACTION - more])))
    return wire(m, choose(*rows), f"{name}_row"), wire(m, choose(*places), f"{name}_within")


PLACES = {name: partial(place, name=name) for name in GELUS}
