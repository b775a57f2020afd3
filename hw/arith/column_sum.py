"""Sums of many bits by columns: no full adder more than the bits need."""

from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from math import inf

from amaranth.hdl import Cat, Const, Module, Value

from hw.arith.wires import wire
from hw.stream.share import simulated

# Delays of a full adder: they decide which bits wait for which.
SUM_DELAY = 4
CARRY_DELAY = 3


def sum_columns(m: Module, columns: Mapping[int, Sequence[Value]], bits: int, name: str) -> Value:
    """Return the sum of all bits, each times two to the power of its column, modulo 2**bits.

    Column after column the three bits that are there first go into a full adder, until one is
    left. That takes as many full adders as bits vanish (and a half adder where the number in a
    column is even), which no other tree can do with fewer, in logarithmic time and one carry
    chain.

    Parameters
    ----------
    m : Module
        Gets the adders.
    columns : mapping of int to bits
        What there is to add, by the power of two.
    bits : int
        Width of the sum.
    name : str
        Prefix of the names of wires.
    """
    rest = compress_columns(m, columns, bits, name, inf)
    return Cat(column[0] if column else Const(0, 1) for column in rest)


def _sum_words(columns: Mapping[int, Sequence[Value]], bits: int) -> Value:
    """Return the sum of words made of a bit of each column, from the last ones on.

    Columns are filled term by term, so that such words are the terms, as a rule.
    """
    filled = [columns.get(place, ()) for place in range(bits)]
    words = [
        Cat(column[-n] if len(column) >= n else Const(0, 1) for column in filled)
        for n in range(1, max(map(len, filled)) + 1)
    ]
    return sum(words[1:], words[0])


def compress_columns(
    m: Module, columns: Mapping[int, Sequence[Value]], bits: int, name: str, depth: float
) -> list[list[Value]]:
    """Return the fewer bits that full adders make of columns, with the same sum modulo 2**bits.

    For a simulator they are the sum itself, added as words.

    Parameters
    ----------
    m, columns, bits, name
        As for :func:`sum_columns`.
    depth : float
        Most full adders in a row, from input to sum; if infinite, a bit is left of each column,
        otherwise two.
    """
    if simulated(m):
        most = sum(len(column) << place for place, column in columns.items())
        total = wire(m, _sum_words(columns, bits), f"{name}_words")
        return [[total[n]] if n < most.bit_length() else [] for n in range(bits)]
    deadline = depth * SUM_DELAY
    # The running number keeps heaps from comparing values.
    waiting = [
        [(0, n, bit) for n, bit in enumerate(columns.get(column, ()))] for column in range(bits)
    ]
    waiting.append([])
    number = max(map(len, waiting))
    for column in range(bits):
        heap = waiting[column]
        heapify(heap)
        while len(heap) > (1 if deadline == inf else 2):
            taken = [heappop(heap) for _ in range(min(3, len(heap)))]
            ready = max(time for time, _, _ in taken)
            if ready + SUM_DELAY > deadline:
                heap.extend(taken)
                break
            first, *others = (bit for _, _, bit in taken)
            added = wire(m, sum(others, first)[:2], f"{name}_{column}_{number}")
            heappush(heap, (ready + SUM_DELAY, number, added[0]))
            waiting[column + 1].append((ready + CARRY_DELAY, number, added[1]))
            number += 1
    return [[bit for _, _, bit in waiting[column]] for column in range(bits)]
