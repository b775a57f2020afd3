"""Sums under way: columns of bits, in which full adders and registers leave fewer."""

import itertools
from collections.abc import Iterator, Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, ValueLike

from hw.arith.column_sum import compress_columns
from hw.arith.wires import wire

# Bits by weight, the lowest first.
Columns = list[list[Value]]


def compress(
    m: Module,
    columns: Sequence[Sequence[Value]],
    name: str,
    *,
    levels: int | None = None,
    width: int | None = None,
) -> Columns:
    """Add up what has the same weight with full adders alone, as far as they go.

    Parameters
    ----------
    m : Module
        Gets the adders.
    columns : sequence of sequences of Value
        Bits of weight 1, 2, 4 ...
    name : str
        Begins the names of the signals.
    levels : int, optional
        Most adders that stand behind one another; by default enough to leave no column with more
        than two bits.
    width : int, optional
        Columns of the result; carries beyond are dropped. By default none is.
    """
    bits = sum(map(len, columns))
    most = len(columns) + bits.bit_length() if width is None else width
    result = compress_columns(m, dict(enumerate(columns)), most, name, levels or bits)
    while width is None and result and not result[-1]:
        result.pop()
    return result


def two_each(m: Module, columns: Sequence[Sequence[Value]], name: str) -> Columns:
    """Leave at most two bits in columns of at most three, one adder behind the others.

    Full adders alone would do it too, but behind one another, column by column.
    """
    if max(map(len, columns)) > 3:
        raise ValueError(f"{name}: columns must have at most three bits")
    result: Columns = []
    carried: list[Value] = []
    for weight, column in enumerate(columns):
        if len(column) + len(carried) > 2:
            total = Signal(2, name=f"{name}_{weight}")
            m.d.comb += total.eq(sum(column[1:], column[0]))
            result.append([total[0], *carried])
            carried = [total[1]]
        else:
            result.append([*column, *carried])
            carried = []
    return result


def rows(columns: Sequence[Sequence[Value]]) -> tuple[Value, Value]:
    """Return the two numbers whose sum columns of at most two bits are."""
    none = Const(0, 1)
    return tuple(  # pyright: ignore[reportReturnType]
        Cat(column[n] if len(column) > n else none for column in columns) for n in range(2)
    )


def register(m: Module, columns: Sequence[Sequence[Value]], name: str) -> Columns:
    """Return columns of the same form, a cycle later; they are not reset."""
    bits = [bit for column in columns for bit in column]
    held = Signal(len(bits), name=name, reset_less=True)
    m.d.sync += held.eq(Cat(bits))
    later: Iterator[Value] = iter(held)
    return [[next(later) for _ in column] for column in columns]


def carry_select(
    m: Module, a: Value, b: Value, name: str, *, carry: ValueLike = 0, low: int | None = None
) -> Value:
    """Return ``a + b + carry``, as wide as the wider; its upper part is added for either carry.

    ``low`` bits are below that part, by default half of them.
    """
    width = max(len(a), len(b))
    cut = width // 2 if low is None else low
    return sum_of_parts(m, a, b, name, cut, carry=carry)[:width]


def sum_of_parts(
    m: Module, a: Value, b: Value, name: str, *cuts: int, carry: ValueLike = 0
) -> Value:
    """Return ``a + b + carry``, a bit longer than the wider; parts above the first are added twice.

    The carry that comes from below only chooses which of the two it is. ``cuts`` are the bits at
    which parts begin.
    """
    done: list[Value] = []
    given = carry
    edges = (0, *cuts, max(len(a), len(b)))
    for low, high in itertools.pairwise(edges):
        options = [carry] if not low else [0, 1]
        totals = []
        for n, option in enumerate(options):
            total = Signal(high - low + 1, name=f"{name}_{low}_{n}")
            m.d.comb += total.eq(a[low:high] + b[low:high] + option)
            totals.append(total)
        total = wire(m, Mux(given, totals[-1], totals[0]), f"{name}_{low}") if low else totals[0]
        done.append(total[:-1])
        given = total[-1]
    return Cat(*done, given)
