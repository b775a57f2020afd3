"""Products of which the lowest columns are left out, for the output scaler.

Bit-exact with what :mod:`golden.exact.output_scaling` leaves out and adds.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import data

from golden.exact.output_scaling import (
    KEPT,
    SCALE_CUT,
    SCALE_MADE_GOOD,
    SUM_CUT,
    SUM_MADE_GOOD,
)
from golden.exact.spec import SCALE_BITS
from hw.arith.bits import choose
from hw.arith.columns import Columns, compress, rows, sum_of_parts, two_each
from hw.arith.wires import wire

YES = Const(1, 1)
# Three times a token scale's mantissa, for two bits of the other factor at a time; of the lowest
# bits both rows lose some columns. A register has them long before they are wanted.
TRIPLES = data.StructLayout({"first": 9, "second": 11, "others": 13})


def triples(mantissa: Value) -> dict[str, Value]:
    """Return the fields of :data:`TRIPLES` for a normalised mantissa."""
    first, second = ((mantissa >> cut) + (mantissa >> (cut - 1)) for cut in (SCALE_CUT, 2))
    return {"first": first, "second": second, "others": mantissa + (mantissa << 1)}


def scale_product(m: Module, a: Value, triple: data.View, w: Value) -> tuple[Value, Value]:
    """Return s_a * s_w in 15 bits, and whether it has a bit more in front.

    Six rows, for two bits of s_w each: none, one, two or three times s_a.
    """
    # Mantissas are normalised: their first bit is always one.
    a, w = (Cat(mantissa[:-1], YES) for mantissa in (a, w))
    columns: Columns = [[] for _ in range(2 * SCALE_BITS - SCALE_CUT)]
    for n in range(0, SCALE_BITS - 1, 2):
        low, high = w[n], w[n + 1]
        three = (triple.first, triple.second, triple.others)[min(n // 2, 2)]
        once, twice = (a[max(SCALE_CUT - place, 0) :] for place in (n, n + 1))
        if n >= SCALE_CUT:
            twice = a << 1
        row = choose((low & ~high, once), (high & ~low, twice), (low & high, three))
        _put(columns, wire(m, row, f"scale_row_{n}"), max(n - SCALE_CUT, 0))
    _put(columns, a, SCALE_BITS - 1 - SCALE_CUT)
    product = _sum(m, columns, _ones(SCALE_MADE_GOOD, YES, SCALE_CUT), "scale", 3, 8)
    more = product[-1]
    return wire(m, Mux(more, product[-KEPT:], product[-KEPT - 1 : -1]), "scale"), more


def sum_product(m: Module, kept: Value, scale: Value) -> Value:
    """Return the product of what is kept of sum and scales, in 15 bits."""
    scale = Cat(scale[:-1], YES)
    columns: Columns = [[] for _ in range(2 * KEPT - SUM_CUT)]
    for n, bit in enumerate(scale):
        for place, other in enumerate(kept):
            if n + place >= SUM_CUT:
                columns[n + place - SUM_CUT].append(bit & other)
    # No sum, nothing made good.
    good = _ones(SUM_MADE_GOOD, kept[-1], SUM_CUT)
    return _sum(m, columns, good, "product", 5, 7, 12)[-KEPT:]


def _put(columns: Columns, row: Value, place: int) -> None:
    """Add a row's bits to columns, from one on."""
    for n, bit in enumerate(row):
        columns[place + n].append(bit)


def _ones(number: int, bit: Value, cut: int) -> list[tuple[int, Value]]:
    """Return ``bit`` and its column at each of a number's ones."""
    return [(place - cut, bit) for place in range(number.bit_length()) if number >> place & 1]


def _sum(
    m: Module,
    columns: Columns,
    more: list[tuple[int, Value]],
    name: str,
    levels: int,
    *parts: int,
) -> Value:
    """Return the sum of columns of bits, and of some bits more.

    ``levels`` full adders behind one another leave no column with four bits. ``parts`` cut the last
    addition; see :func:`hw.arith.columns.sum_of_parts`.
    """
    for place, bit in more:
        columns[place].append(bit)
    width = len(columns)
    few = compress(m, columns, f"{name}_few", levels=levels, width=width)
    two = rows(two_each(m, few, f"{name}_two")[:width])
    return sum_of_parts(m, *two, f"{name}_sum", *parts)[:width]
