"""Functions of quantised vectors: a table for each index, or for each pair; exact integers.

A function of one quantised vector maps its sixteen centroids. A function of two is a table of 256
entries; where its result is to be quantised as well, the entries are indices. Both forms are this
project's own proposal.
"""

from dataclasses import dataclass

import numpy as np

from golden.exact.fp16 import BitArray, flush_nonfinite, is_finite, key
from golden.exact.index_statistics import INDICES
from golden.exact.spec import IntArray

MAP_SIZES = (INDICES, 2 * INDICES, 4 * INDICES)


@dataclass(frozen=True)
class CodebookMap:
    """A function of an FP16 number as sixteen of its values, or for comparison 32 or 64.

    Parameters
    ----------
    bounds : (15,) int64
        FP16 keys, ascending: the least of indices 1 to 15.
    values : (16,) uint16
        What the function gives for the numbers of each index: finite FP16 patterns.
    passes : bool
        Whether numbers of the last index are themselves the function's values, as large ones are
        those of SiLU and GELU. The last value is not used then.
    """

    bounds: IntArray
    values: BitArray
    passes: bool = False

    def __post_init__(self) -> None:
        if len(self.values) not in MAP_SIZES or not is_finite(self.values).all():
            raise ValueError(f"values must be finite FP16 patterns, as many as one of {MAP_SIZES}")
        last = len(self.values) - 1
        if self.bounds.shape != (last,) or (np.diff(self.bounds) < 0).any():
            raise ValueError(f"bounds must be {last} keys, ascending")

    def indices(self, bits: BitArray) -> IntArray:
        """Return the index of each number; what is not finite counts as zero."""
        return np.searchsorted(self.bounds, key(flush_nonfinite(bits)), side="right")

    def __call__(self, bits: BitArray) -> BitArray:
        """Return the function's value for each number."""
        index = self.indices(bits)
        passes = self.passes & (index == len(self.values) - 1)
        return np.where(passes, flush_nonfinite(bits), self.values[index])


def table_of_two(table: IntArray, a: IntArray, b: IntArray) -> IntArray:
    """Return the entries of a table (16, 16) for two quantised vectors of the same shape."""
    if table.shape != (INDICES, INDICES):
        raise ValueError(f"the table must be {INDICES} x {INDICES}, got {table.shape}")
    return table[a, b]
