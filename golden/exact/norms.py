"""Scalars of a vector: sum of squares, and what norms and softmax divide by.

A norm multiplies a token by 1/sqrt(mean x**2 + epsilon), softmax divides by the sum of its powers.
Both are one factor for all elements, so that they are scales, as a token's is. Constants, as
sqrt(K), are for other factors to have.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from golden.exact.fp16 import INFINITY, BitArray, decode, units
from golden.exact.functions import (
    RECIPROCAL,
    RSQRT,
    SEGMENT_BITS,
    T_BITS,
    UNIT_BITS,
    Segments,
)
from golden.exact.spec import SCALE_BITS, IntArray, bit_length
from golden.exact.token_scale import Scale

LIMB = 40  # bits of a total's lower half
SQUARE_UNIT = 30  # sums of squares count units of 2**-30
POWER_UNIT = 24  # sums of FP16 numbers, those of the smallest one, 2**-24
HEAD_BITS = 1 + SEGMENT_BITS + 1 + T_BITS  # of a total that its inverse depends on


class Total(NamedTuple):
    """Integers of up to 100 bits, ``high * 2**40 + low``.

    Parameters
    ----------
    high : (...,) int64
        0 to 2**60.
    low : (...,) int64
        0 to 2**40 - 1.
    """

    high: IntArray
    low: IntArray

    @classmethod
    def of(cls, values: npt.ArrayLike) -> "Total":
        """Return integers, Python's too, as totals."""
        whole = np.frompyfunc(int, 1, 1)(np.asarray(values, object))
        high, low = whole >> LIMB, whole & ((1 << LIMB) - 1)
        return cls(np.asarray(high, np.int64), np.asarray(low, np.int64))

    def integers(self) -> npt.NDArray[np.object_]:
        """Return the totals as Python's integers."""
        high, low = (np.asarray(half).astype(object) for half in self)
        return np.asarray((high << LIMB) + low, object)


def _squares() -> IntArray:
    """Return the square of each finite magnitude pattern in units of 2**-30, cut."""
    _, mantissa, exponent = decode(np.arange(0x7C00, dtype=np.uint16))
    shift = 2 * exponent + SQUARE_UNIT
    return mantissa**2 << np.maximum(shift, 0) >> np.maximum(-shift, 0)


SQUARES = _squares()  # below 2**62


def square_sum(x: BitArray, start: npt.ArrayLike = 0) -> Total:
    """Return ``start`` and the sum of x**2 over the last axis, in units of 2**-30.

    Each square is cut to that unit, so that it is too small by less than 2**-30; the squares of
    numbers that are multiples of 2**-15, as those from 2**-5 on, are exact. The sum is exact.

    Parameters
    ----------
    x : (..., K) uint16
        Finite FP16 patterns; K up to 2**14, for a total below 2**77.
    start : int or (...,) int64
        What the sum begins with, below 2**62: K * epsilon * 2**30 for a norm.
    """
    squares = SQUARES[x & 0x7FFF]
    begin = np.asarray(start, np.int64)
    mask = (1 << LIMB) - 1
    low = (squares & mask).sum(axis=-1) + (begin & mask)
    return Total((squares >> LIMB).sum(axis=-1) + (begin >> LIMB) + (low >> LIMB), low & mask)


def power_sum(x: BitArray) -> IntArray:
    """Return the exact sum of |x| over the last axis, in units of 2**-24.

    Parameters
    ----------
    x : (..., K) uint16
        Finite FP16 patterns, powers as a rule; K up to 2**20, for a total below 2**60.
    """
    return units(x).sum(axis=-1)


def inverse_root(total: Total) -> Scale:
    """Return ``1 / sqrt(total * 2**-30)`` as a scale; 0 gives 2**15, what 1 does.

    Only the 14 leading bits of the total count. The mantissa is at most one unit from the exact
    value rounded to 11 bits, and the scale less than 2**-10 of it from the exact value.
    """
    length, head = _head(total)
    exponent = length - 1 - SQUARE_UNIT
    odd = exponent & 1
    # One bit of the head more than this table tells apart.
    scale = _scale(RSQRT, (odd << SEGMENT_BITS + T_BITS) + (head >> 1))
    return Scale(scale.mantissa, scale.exponent - (exponent >> 1) - 1)


def inverse(total: IntArray | Total) -> Scale:
    """Return ``1 / (total * 2**-24)`` as a scale; 0 gives 2**24, what 1 does.

    Only the 14 leading bits of the total count. The mantissa is at most one unit from the exact
    value rounded to 11 bits, and the scale less than 2**-10 of it from the exact value.
    """
    if not isinstance(total, Total):
        total = Total(total >> LIMB, total & ((1 << LIMB) - 1))
    length, head = _head(total)
    scale = _scale(RECIPROCAL, head)
    return Scale(scale.mantissa, scale.exponent + POWER_UNIT - length)


def factor_number(factor: Scale) -> BitArray:
    """Return factors as FP16 numbers, which they are exactly where they are normal ones.

    What is below 2**-14 is +0, what is 2**16 or more is infinity.
    """
    field = factor.exponent + 25  # of 1024 * 2**exponent
    normal = field << 10 | factor.mantissa - 1024
    found = np.where(field > 30, INFINITY, np.where(field < 1, 0, normal))
    return found.astype(np.uint16)


def _head(total: Total) -> tuple[IntArray, IntArray]:
    """Return how long a total is, and what its 13 bits after the first one lack to their most."""
    # Two bits above the lower half at least, so that neither half is too long for one integer.
    above = total.high > 0
    low = np.where(above | (total.low > 0), total.low, 1)
    length = np.where(above, bit_length(total.high) + LIMB, bit_length(low))
    shift = length - HEAD_BITS
    # The upper half, and as much of the lower one as the head may need.
    joined = (total.high & ((1 << HEAD_BITS) - 1)) << LIMB | low
    high = total.high >> np.maximum(shift - LIMB, 0)
    lower = joined << np.maximum(-shift, 0) >> np.clip(shift, 0, LIMB)
    head = np.where(shift > LIMB, high, lower)
    return length, ~head & ((1 << HEAD_BITS - 1) - 1)


def _scale(table: Segments, place: IntArray) -> Scale:
    """Return a table's value, from 1 to 2, as a scale of 11 bits: rounded, halves up."""
    value = table.at(place >> T_BITS, place & ((1 << T_BITS) - 1))
    drop = UNIT_BITS + 1 - SCALE_BITS
    mantissa = (value + (1 << drop - 1)) >> drop
    carry = mantissa >> SCALE_BITS
    return Scale(mantissa >> carry, carry - (SCALE_BITS - 1))
