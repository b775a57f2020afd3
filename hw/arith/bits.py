"""Small trees over bit vectors."""

from functools import reduce
from operator import or_

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, ValueLike
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.stream.share import simulated

SHIFTED = 64  # bits that a simulator shifts in one go


def first_one(m: Module, bits: Value, name: str) -> Signal:
    """Return the lowest one of ``bits`` alone, or none; logarithmic depth."""
    some, step = bits, 1  # at least one, here or further down
    while step < len(bits):
        further = Signal(len(bits), name=f"{name}_some{step}")
        m.d.comb += further.eq(some | (some << step))
        some, step = further, 2 * step
    first = Signal(len(bits), name=name)
    m.d.comb += first.eq(bits & ~(some << 1))
    return first


def choose(*options: tuple[Value, ValueLike]) -> Value:
    """Return the value whose bit is set, or zero: at most one of the bits may be.

    ANDs and ORs come out smaller than multiplexers behind one another.
    """
    values = [(bit, Value.cast(value).as_unsigned()) for bit, value in options]
    return reduce(or_, (Mux(bit, value, Const(0, len(value))) for bit, value in values))


def used_lanes(last: Value, count: Value, lanes: int) -> Value:
    """Return which lanes of a row hold one of ``count`` things: in the last row perhaps not all."""
    rest = count[: exact_log2(lanes)]  # nothing of a single lane, which is always used
    return Mux(last & rest.any(), (1 << rest) - 1, -1)


def element(m: Module, array: data.View, index: Value) -> Value:
    """Return the bits of an element of an array of as many as ``index`` can say.

    A case for each element comes out smaller as gates; a simulator shifts the whole array.
    """
    elements = [Value.cast(array[n]).as_unsigned() for n in range(1 << len(index))]
    if simulated(m):
        return _word(elements, index)
    return Array(elements)[index]


def _word(elements: list[Value], index: Value) -> Value:
    """Return an element, by shifts of 64 bits if it is no longer: others take a simulator long."""
    width = len(elements[0])
    if width > SHIFTED or width * len(elements) <= SHIFTED:
        return Cat(*elements).word_select(index, width)
    half = len(elements) // 2
    return Mux(index[-1], _word(elements[half:], index[:-1]), _word(elements[:half], index[:-1]))


def is_beyond(key: Value, other: Value, *, largest: bool) -> Value:
    """Return whether a key is further out than another, where the largest or smallest are kept."""
    return key > other if largest else key < other


def at_least(bits: Value) -> tuple[Value, Value, Value]:
    """Return whether one, two and three or more of ``bits`` are set; logarithmic depth."""
    none = Value.cast(0)
    counts = [(bit, none, none) for bit in bits]
    while len(counts) > 1:
        pairs = zip(counts[::2], [*counts[1::2], (none, none, none)], strict=False)
        counts = [
            (a1 | b1, a2 | b2 | (a1 & b1), a3 | b3 | (a2 & b1) | (a1 & b2))
            for (a1, a2, a3), (b1, b2, b3) in pairs
        ]
    return counts[0]


def exceeds(a: Value, b: Value) -> Value:
    """Return whether ``a`` exceeds ``b``, both unsigned and as wide; logarithmic depth.

    Each part says whether ``a`` is larger there, and whether it is no smaller. Two thirds of the
    delay of Amaranth's comparison, once mapped to cells, for a tenth more area.
    """
    parts = [(x & ~y, x | ~y) for x, y in zip(a, b, strict=True)]
    while len(parts) > 1:
        odd = [parts.pop()] if len(parts) % 2 else []
        pairs = zip(parts[::2], parts[1::2], strict=True)
        parts = [(high[0] | (high[1] & low[0]), high[1] & low[1]) for low, high in pairs] + odd
    return parts[0][0]
