"""Products of small numbers, row by row in carry-save form: the fewest full adders there can be."""

from collections.abc import Iterable
from typing import NamedTuple

from amaranth.hdl import Cat, Module, Value

from hw.arith.wires import wire
from hw.stream.share import simulated


class CarrySave(NamedTuple):
    """A sum under way: ``low + (sums + carries << len(low))``."""

    low: Value  # bits that no row to come can change
    sums: Value
    carries: Value


def first_row(m: Module, factor: Value, bit: Value, name: str) -> CarrySave:
    """Return ``factor * bit``, to which rows for higher bits can be added."""
    row = wire(m, factor & bit.replicate(len(factor)), f"{name}_0")
    return CarrySave(row[:1], row[1:], row[:0])


def add_rows(
    m: Module, so_far: CarrySave, factor: Value, bits: Iterable[Value], name: str
) -> CarrySave:
    """Add ``factor`` times each of ``bits``, the next higher ones of the other factor."""
    low, sums, carries = so_far
    if simulated(m):
        factors = Cat(bits)
        width = len(factor) + len(factors)
        total = wire(m, (sums + carries + factor * factors)[:width], f"{name}_{len(low)}")
        # The sum's upper part in two of the same lengths: a half and the other, larger by a bit.
        half = total[len(factors) + 1 :]
        other = wire(m, (half + total[len(factors)])[: len(half)], f"{name}_{len(low)}_other")
        return CarrySave(Cat(low, total[: len(factors)]), half, other)
    for bit in bits:
        row = wire(m, factor & bit.replicate(len(factor)), f"{name}_{len(low)}")
        column = [list(terms) for terms in zip(row, strict=True)]
        for terms in (sums, carries):
            for place, term in enumerate(terms):
                column[place].append(term)
        added = []
        for place, terms in enumerate(column):
            added.append(wire(m, sum(terms[1:], terms[0])[:2], f"{name}_{len(low)}_{place}"))
        low = Cat(low, added[0][0])
        sums = Cat(total[0] for total in added[1:])
        carries = Cat(total[1] for total in added if len(total) > 1)
    return CarrySave(low, sums, carries)


def resolve(m: Module, product: CarrySave, name: str) -> Value:
    """Return the product as a number: one carry chain."""
    return Cat(product.low, wire(m, product.sums + product.carries, name))
