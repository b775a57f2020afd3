"""Sums over a quantised vector from how often each of its indices occurs; bit-exact integers.

A vector on 4-bit indices has sixteen different values, so a sum of any function g over it is
``sum(count[j] * g[j])``: sixteen products in the place of one per element. The largest element is
the highest index that occurs. This form is this project's own proposal.

Constants g are integers of 16 bits whose unit is chosen with them. Elements that are kept exactly
beside their index, outliers, are left out of the counts and added by themselves.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from golden.exact.fp16 import BitArray
from golden.exact.norms import SQUARE_UNIT, Total, square_sum
from golden.exact.spec import A_FRACTION_BITS, IntArray, require_int, round_shift
from golden.exact.token_scale import Scale

INDEX_BITS = 4
INDICES = 1 << INDEX_BITS
CONSTANT_BITS = 16

BoolArray = npt.NDArray[np.bool_]


class Constants(NamedTuple):
    """What each index counts for.

    Parameters
    ----------
    values : (16,) int64
        0 to 2**16 - 1.
    fraction_bits : int
        They are multiples of ``2**-fraction_bits``.
    """

    values: IntArray
    fraction_bits: int

    def real(self) -> npt.NDArray[np.float64]:
        """Return the values that the integers stand for."""
        return np.ldexp(self.values.astype(np.float64), -self.fraction_bits)


def histogram(indices: IntArray, used: BoolArray | None = None) -> IntArray:
    """Return how often each index occurs in each row.

    Parameters
    ----------
    indices : (T, K) int64
        0 to 15.
    used : (T, K) bool, optional
        Which elements count; by default all do.

    Returns
    -------
    (T, 16) int64
    """
    if indices.size and not 0 <= indices.min() <= indices.max() < INDICES:
        raise ValueError(f"indices must be from 0 to {INDICES - 1}")
    counted = np.ones(indices.shape, np.bool_) if used is None else used
    places = indices + INDICES * np.arange(len(indices))[:, None]
    counts = np.bincount(places[counted], minlength=INDICES * len(indices))
    return counts.reshape(-1, INDICES).astype(np.int64)


def sum_by_counts(counts: IntArray, constants: IntArray) -> IntArray:
    """Return the sum (T,) over each row of what its indices (T, 16) count for."""
    return counts @ constants


def largest_index(counts: IntArray) -> IntArray:
    """Return the highest index (T,) that occurs in each row; 0 if none does."""
    occurs = counts > 0
    return np.where(occurs.any(axis=1), INDICES - 1 - occurs[:, ::-1].argmax(axis=1), 0)


def square_constants(centroids: IntArray) -> Constants:
    """Return the squares of a codebook, in the finest unit in which all have 16 bits.

    Parameters
    ----------
    centroids : (16,) int64
        In units of 2**-10 token scales, below 2**15.

    Returns
    -------
    Constants
        In token scales squared. Each is rounded to the nearest multiple, halves up, so that it is
        at most half a unit off.
    """
    squares = centroids**2
    drop = 0
    rounded = squares
    while rounded.max() >> CONSTANT_BITS:
        drop += 1
        rounded = round_shift(squares, drop)
    return Constants(rounded, 2 * A_FRACTION_BITS - drop)


def square_sum_by_counts(
    counts: IntArray,
    constants: Constants,
    scale: Scale,
    outliers: BitArray,
    start: int = 0,
) -> Total:
    """Return the sum of squares of each row in units of 2**-30.

    That of the indices is ``counts @ constants`` times the square of the token scale, cut to a
    multiple of 2**-30; outliers are squared and added as
    :func:`golden.exact.norms.square_sum` does. So the total is below that of float64 by less than
    one unit and one for each outlier, and off by half a unit of the constants, times the scale's
    square, for each index counted.

    Parameters
    ----------
    counts : (T, 16) int64
        Without outliers; at most 2**14 in a row.
    constants : Constants
        From :func:`square_constants`.
    scale : Scale
        (T,) token scales.
    outliers : (T, n) uint16
        Finite FP16 patterns; zeros where there are fewer.
    start : int
        What the sum begins with: K * epsilon * 2**30 for a norm.
    """
    require_int("start", start, low=0, high=(1 << 62) - 1)
    sums = sum_by_counts(counts, constants.values).astype(object)
    product = sums * scale.mantissa.astype(object) ** 2
    shift = 2 * scale.exponent + SQUARE_UNIT - constants.fraction_bits
    placed = [
        int(value) << int(by) if by >= 0 else int(value) >> int(-by)
        for value, by in zip(product, shift, strict=True)
    ]
    exact = square_sum(outliers, start).integers()
    return Total.of(np.array([a + b for a, b in zip(placed, exact, strict=True)], object))
