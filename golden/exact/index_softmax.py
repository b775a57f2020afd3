"""Softmax on 4-bit indices: scores become codes, powers are sixteen constants; exact integers.

This form is this project's own proposal. A score's distance to the largest of its row decides its
index, by fifteen thresholds that are the same for all rows. Each index stands for one power:

=====  =================================================================================
index  stands for
=====  =================================================================================
15     exactly 1: scores less than 1/16 below the largest
1..14  the mean of exp(score - largest) over the scores of a cluster, chosen offline
0      exactly 0: scores far below the largest, and those that are masked
=====  =================================================================================

The sum of powers comes from counts. The indices themselves are the activations that meet the
cached values in the lookup array, whose product table has the sixteen powers for a codebook; what
divides by the sum is a factor of that token's outputs. No power is computed for any score.

========================  ================================================================
a row                     gives
========================  ================================================================
of equal scores           15 everywhere; each power is 1, the sum their number
with one dominant score   15 there, 0 elsewhere; the sum is 1
wholly masked, or empty   0 everywhere; the sum is 0, and so is what the powers multiply
with scores beyond 512    512 less 1/16 for them, or -512 plus 1/16; for infinity, too
with -infinity or NaN     masked there
========================  ================================================================
"""

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from golden.exact.fp16 import INFINITY, BitArray, is_finite
from golden.exact.index_statistics import INDICES, histogram, sum_by_counts
from golden.exact.spec import IntArray

SCORE_FRACTION_BITS = 4
SCORE_BITS = 14  # with sign
SCORE_MAX = (1 << (SCORE_BITS - 1)) - 1
DISTANCE_MAX = 255  # of the distances that thresholds tell apart
POWER_FRACTION_BITS = 15
ONE = 1 << POWER_FRACTION_BITS

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SoftmaxCodes:
    """How scores become indices, and what those stand for.

    Parameters
    ----------
    thresholds : tuple of 14 int
        Least distances to the largest score, in units of 1/16, of indices 13, 12 ... 0: from 2 to
        255, ascending.
    powers : (16,) int64
        In units of 2**-15: 0, then ascending to 2**15.
    """

    thresholds: tuple[int, ...]
    powers: IntArray

    def __post_init__(self) -> None:
        require_thresholds(self.thresholds)
        if self.powers.shape != (INDICES,) or (np.diff(self.powers) < 0).any():
            raise ValueError(f"powers must be {INDICES}, ascending")
        if self.powers[0] != 0 or self.powers[-1] != ONE:
            raise ValueError(f"powers must be from 0 to {ONE}, got {self.powers}")


def require_thresholds(thresholds: tuple[int, ...]) -> None:
    """Raise ValueError unless thresholds are as :class:`SoftmaxCodes` says."""
    ascends = all(a < b for a, b in itertools.pairwise(thresholds))
    if len(thresholds) != INDICES - 2 or not ascends:
        raise ValueError(f"there must be {INDICES - 2} thresholds, ascending, got {thresholds}")
    if thresholds[0] < 2 or thresholds[-1] > DISTANCE_MAX:
        raise ValueError(f"thresholds must be from 2 to {DISTANCE_MAX}, got {thresholds}")


class Row(NamedTuple):
    """What becomes of rows of scores.

    Parameters
    ----------
    indices : (T, S) int64
    counts : (T, 16) int64
        Of the scores that are not masked.
    total : (T,) int64
        Sum of the powers, in units of 2**-15.
    """

    indices: IntArray
    counts: IntArray
    total: IntArray


def score_units(bits: BitArray) -> tuple[IntArray, BoolArray]:
    """Return scores in units of 1/16, and which of them are there at all.

    Cut to the unit below; a negative score on a multiple of the unit is one lower, too. What is
    beyond 8191 units on either side, infinity too, ends there. -infinity and NaN are not there.
    """
    return UNITS[bits], THERE[bits]


def _score_units(bits: BitArray) -> tuple[IntArray, BoolArray]:
    magnitude = np.minimum(bits & 0x7FFF, INFINITY).astype(np.int64)
    exponent, fraction = magnitude >> 10, magnitude & 1023 | ((magnitude >> 10 > 0) << 10)
    # The value is the fraction times 2**(exponent - 25), of normal numbers.
    shift = 25 - SCORE_FRACTION_BITS - exponent
    units = fraction << np.maximum(-shift, 0) >> np.maximum(shift, 0)
    cut = np.minimum(units, SCORE_MAX)
    there = is_finite(bits) | (bits == INFINITY)
    return np.where(bits & 0x8000, np.maximum(~cut, -SCORE_MAX), cut), there


UNITS, THERE = _score_units(np.arange(1 << 16, dtype=np.uint16))  # of each pattern


def distances(bits: BitArray) -> tuple[IntArray, BoolArray]:
    """Return how far each score (T, S) lies below its row's largest, at most 255 units of 1/16.

    A score that is not there is as far as can be, and so is each where none is there.
    """
    units, there = score_units(bits)
    largest = np.where(there, units, -SCORE_MAX - 1).max(axis=1, keepdims=True)
    return np.where(there, np.minimum(largest - units, DISTANCE_MAX), DISTANCE_MAX), there


def softmax_indices(bits: BitArray, codes: SoftmaxCodes) -> Row:
    """Return the indices of rows of scores, and the sum of their powers.

    Parameters
    ----------
    bits : (T, S) uint16
        FP16 scores, one row for each query; masked ones are -infinity.
    codes : SoftmaxCodes
    """
    far, there = distances(bits)
    bounds = np.array([1, *codes.thresholds])
    indices = INDICES - 1 - np.searchsorted(bounds, far, side="right")
    counts = histogram(indices, there)
    return Row(indices, counts, sum_by_counts(counts, codes.powers))


def probabilities(row: Row, codes: SoftmaxCodes) -> npt.NDArray[np.float64]:
    """Return what the indices stand for (T, S), the sum divided out; zeros where that is 0."""
    total = np.maximum(row.total, 1)[:, None]
    return codes.powers[row.indices] / total
