"""Products of small numbers, row by row in carry-save form: the fewest full adders there can be."""

from collections.abc import Iterable
from typing import NamedTuple

from amaranth.hdl import Cat, Module, Signal, Value


class CarrySave(NamedTuple):
    """A sum under way: ``low + (sums + carries << len(low))``."""

    low: Value  # bits that no row to come can change
    sums: Value
    carries: Value


def first_row(factor: Value, bit: Value) -> CarrySave:
    """Return ``factor * bit``, to which rows for higher bits can be added."""
    row = factor & bit.replicate(len(factor))
    return CarrySave(row[:1], row[1:], row[:0])


def add_rows(
    m: Module, so_far: CarrySave, factor: Value, bits: Iterable[Value], name: str
) -> CarrySave:
    """Add ``factor`` times each of ``bits``, the next higher ones of the other factor."""
    low, sums, carries = so_far
    for bit in bits:
        row = factor & bit.replicate(len(factor))
        column = [list(terms) for terms in zip(row, strict=True)]
        for terms in (sums, carries):
            for place, term in enumerate(terms):
                column[place].append(term)
        added = []
        for place, terms in enumerate(column):
            total = Signal(len(terms) if len(terms) < 3 else 2, name=f"{name}_{len(low)}_{place}")
            m.d.comb += total.eq(sum(terms[1:], terms[0]))
            added.append(total)
        low = Cat(low, added[0][0])
        sums = Cat(total[0] for total in added[1:])
        carries = Cat(total[1] for total in added if len(total) > 1)
    return CarrySave(low, sums, carries)


def resolve(m: Module, product: CarrySave, name: str) -> Value:
    """Return the product as a number: one carry chain."""
    high = Signal(max(len(product.sums), len(product.carries)) + 1, name=name)
    m.d.comb += high.eq(product.sums + product.carries)
    return Cat(product.low, high)
