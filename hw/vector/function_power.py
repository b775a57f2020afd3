"""Exp and sigmoid: the line that |x| log2(e) lies on, whole part and fraction."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Value

from golden.exact.functions import BIAS, EXP, LOG2_E, POWER_BITS, SIGMOID, T_BITS
from hw.arith.columns import carry_select, compress, rows
from hw.arith.wires import wire
from hw.fp16.fp16_parts import MANTISSA, Number
from hw.vector.function_parts import Flags, Placed, Wanted, asked, placed
from hw.vector.segments import look_up

TOP = 19  # biased exponent of the largest numbers whose powers are neither 0 nor infinite
DROP = 8  # bits of a product that not even those need


class Power(NamedTuple):
    """|x| log2(e) on its way."""

    five: Value  # times the mantissa
    mantissa: Value
    distance: Value  # by how much the product will be shifted down
    huge: Value  # whether it is too large


class Product(NamedTuple):
    """The same, multiplied."""

    product: Value
    distance: Value
    huge: Value


def first(m: Module, number: Number) -> Power:
    """Return five times the mantissa, of which log2(e) is made."""
    mantissa = number.mantissa
    return Power(
        five=wire(m, (mantissa + (mantissa << 2))[: MANTISSA + 3], "five"),
        mantissa=mantissa,
        distance=wire(m, (TOP - number.exponent)[:5], "distance"),
        huge=wire(m, number.exponent > TOP, "huge"),
    )


def second(m: Module, power: Power) -> Product:
    """Multiply by log2(e) = 2**-14 (2**14 + 2**13 - 2**10 + 5 (2**4 + 1))."""
    bits = MANTISSA + LOG2_E.bit_length()
    # Turned over, a mantissa is 2**11 - 1 less it.
    negated = Cat(~power.mantissa, Const(-1, bits))
    terms = (
        (0, power.five),
        (4, power.five),
        (14, power.mantissa),
        (13, power.mantissa),
        (10, negated),
        (10, Const(1, 1)),
    )
    columns: list[list[Value]] = [[] for _ in range(bits)]
    for place, term in terms:
        for column, bit in zip(columns[place:], term, strict=False):
            column.append(bit)
    a, b = rows(compress(m, columns, "product", width=bits))
    total = wire(m, carry_select(m, a, b, "power"), "power")
    return Product(total[DROP:], power.distance, power.huge)


def place(m: Module, product: Product, wanted: Wanted, flags: Flags) -> Placed:
    """Look the line up: the fraction of the power itself, or what it lacks to 1."""
    units = wire(m, product.product >> product.distance, "units")
    whole, fraction = units[POWER_BITS:], units[:POWER_BITS]
    sigmoid, exp = asked(wanted, "sigmoid"), asked(wanted, "exp")
    turn = wire(m, flags.sign | sigmoid, "turn")
    above = wire(m, sigmoid & ~flags.sign, "above")
    fraction = wire(m, fraction ^ turn.replicate(POWER_BITS), "fraction")
    segment, t = fraction[T_BITS:], fraction[:T_BITS]
    if "sigmoid" in wanted:
        # Behind the rows of small powers all are those of exp.
        row = whole[:4] | (whole[4] | exp).replicate(4)
        line = look_up(m, Cat(segment, row), t, "power", SIGMOID, EXP, EXP, EXP)
    else:
        line = look_up(m, segment, t, "power", EXP)
    steps = Cat(whole[:5] ^ turn.replicate(5), turn).as_signed()
    rising = exp & ~flags.sign
    huge = wire(m, product.huge | whole[5:].any() | (rising & whole[4]), "beyond")
    return placed(
        m,
        "power",
        line,
        exponent=steps + Mux(above, 1, BIAS - 1),
        above=above,
        nan=flags.nan,
        infinite=huge & rising,
        one=huge & above,
        zero=huge & flags.sign,
    )
