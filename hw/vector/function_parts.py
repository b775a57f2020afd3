"""What the functions of an FP16 number have in common: a line, and what becomes of its value."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed

from golden.exact.functions import BIAS, UNIT_BITS
from hw.arith.bits import choose
from hw.arith.wires import wire
from hw.vector.segments import Line

EXPONENT_BITS = 6  # signed
BEYOND = 30  # exponent, less 1, of infinities and NaN
NO = Const(0, 1)

# The functions that a unit has, and whether each is asked for.
Wanted = Mapping[str, Value]


class Flags(NamedTuple):
    """What a number is beside its magnitude."""

    sign: Value
    zero: Value
    infinite: Value
    nan: Value


class Placed(NamedTuple):
    """A place on a line, and what becomes of the value there."""

    base: Value
    slope: Value
    t: Value
    exponent: Value  # biased, less 1; negative, it says by how much the value goes down
    above: Value  # whether the value is what 1 has more than the result
    sign: Value


def asked(wanted: Wanted, *names: str) -> Value:
    """Return whether one of some functions is asked for: a constant where the unit has none."""
    return reduce(or_, (wanted[name] for name in names if name in wanted), NO)


def placed(
    m: Module,
    name: str,
    line: Line,
    *,
    exponent: Value,
    sign: Value = NO,
    above: Value = NO,
    nan: Value = NO,
    infinite: Value = NO,
    one: Value = NO,
    zero: Value = NO,
) -> Placed:
    """Return a place on a line; a constant in its place where the result is one of those."""
    beyond = wire(m, nan | infinite, f"{name}_beyond")
    special = wire(m, beyond | one | zero, f"{name}_special")
    base = Mux(special, Cat(Const(0, UNIT_BITS - 1), nan, beyond | one), line.base)
    fixed = Mux(beyond, BEYOND, Mux(one, BIAS - 1, 0))
    biased = Signal(signed(EXPONENT_BITS), name=f"{name}_exponent")
    m.d.comb += biased.eq(Mux(special, fixed, exponent))
    return Placed(
        base=wire(m, base, f"{name}_base"),
        slope=wire(m, line.slope & ~special.replicate(len(line.slope)), f"{name}_slope"),
        t=line.t,
        exponent=biased,
        above=wire(m, above & ~special, f"{name}_above"),
        sign=wire(m, sign & ~nan, f"{name}_sign"),
    )


def pick(m: Module, options: list[tuple[Value, Placed]]) -> Placed:
    """Return the place whose flag is set: one is."""
    (_, only), *others = options
    if not others:
        return only
    words = []
    widths = [
        max(map(len, fields)) for fields in zip(*(option for _, option in options), strict=True)
    ]
    for flag, option in options:
        fields = [
            Cat(field, Const(0, width - len(field)))
            for field, width in zip(option, widths, strict=True)
        ]
        words.append((flag, Cat(fields)))
    word = wire(m, choose(*words), "placed")
    starts = [sum(widths[:n]) for n in range(len(widths))]
    fields = [word[start : start + width] for start, width in zip(starts, widths, strict=True)]
    return Placed(*fields)
