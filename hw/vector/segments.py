"""Straight lines in the place of a function: their table, and the value on one."""

from collections.abc import Sequence
from typing import NamedTuple

from amaranth.hdl import Const, Module, Mux, Value

from golden.exact.functions import T_BITS, UNIT_BITS, Segments
from hw.arith.columns import carry_select, compress, rows
from hw.arith.wires import wire

VALUE_BITS = UNIT_BITS + 1  # of values below 2
SLOPE_BITS = 9  # at least
LOW = 13  # bits of a product below those that are added for either carry


class Line(NamedTuple):
    """A segment's line, and the place on it."""

    base: Value
    slope: Value
    t: Value


def look_up(m: Module, index: Value, t: Value, name: str, *tables: Segments) -> Line:
    """Return the line of a segment: ``index`` counts those of all tables, one behind another."""
    slope_bits = max(SLOPE_BITS, *(int(table.slope.max()).bit_length() for table in tables))
    words = [
        Const(int(base) << slope_bits | int(slope), VALUE_BITS + slope_bits)
        for table in tables
        for base, slope in zip(table.base, table.slope, strict=True)
    ]
    word = wire(m, choice(words, wire(m, index, f"{name}_index")), f"{name}_line")
    return Line(word[slope_bits:], word[:slope_bits], t)


def choice(words: Sequence[Const], index: Value) -> Value:
    """Return a word: gates, where tools would make a memory of a case for each.

    What stands behind the last word is like it.
    """
    if len({word.value for word in words}) == 1:
        return words[0]
    half = 1 << len(index) - 1
    low, high = words[:half], words[half:] or words[-1:]
    return Mux(index[-1], choice(high, index[:-1]), choice(low, index[:-1]))


def value_on(m: Module, line: Line, name: str) -> Value:
    """Return ``base + (slope * t >> 8)``, below 2: one multiplier, its rows added with the base."""
    columns: dict[int, list[Value]] = {}
    for place, bit in enumerate(line.base, T_BITS):
        columns[place] = [bit]
    for row, bit in enumerate(line.t):
        term = wire(m, line.slope & bit.replicate(len(line.slope)), f"{name}_row{row}")
        for place, product in enumerate(term, row):
            columns.setdefault(place, []).append(product)
    bits = VALUE_BITS + T_BITS
    terms = compress(m, [columns.get(n, []) for n in range(bits)], name, width=bits)
    return carry_select(m, *rows(terms), f"{name}_sum", low=LOW)[T_BITS:]
