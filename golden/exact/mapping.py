"""How indices and tables are coded on the wires and in the memories of an engine.

Sorted codebooks are convenient to reason about; hardware with symmetric codebooks is cheaper with
a sign and a magnitude. This is the only place that knows both.
"""

import numpy as np

from golden.exact.grid import GRID
from golden.exact.spec import GRID_MAX, IntArray


def index_code(index: IntArray, centroids: int, *, symmetric: bool, bits: int = 4) -> IntArray:
    """Return the code of each index into a sorted codebook, or into the grid.

    Parameters
    ----------
    index : (...,) int
        From 0 to ``centroids - 1``.
    centroids : int
        Length of the codebook: a power of two, or 255 for the grid.
    symmetric : bool
        Whether the codebook is. The code is then a sign in the top bit and a magnitude index;
        otherwise it is the index itself. Of the grid's steps it is sign and magnitude.
    bits : int
        Bits of a code.

    Returns
    -------
    (...,) int64
        From 0 to ``2**bits - 1``.
    """
    index, sign = np.asarray(index, np.int64), 1 << (bits - 1)
    if centroids == len(GRID):
        steps = index - GRID_MAX
        return np.where(steps < 0, sign - steps, steps)
    if not symmetric:
        return index
    half = centroids // 2
    return np.where(index >= half, index - half, sign + half - 1 - index)


def stored_centroids(centroids: IntArray, *, symmetric: bool) -> IntArray:
    """Return what an engine stores of a codebook: all of it, or its positive half."""
    return centroids[len(centroids) // 2 :] if symmetric else centroids


def sign_code(values: IntArray, bits: int) -> IntArray:
    """Return integers as magnitudes of so many bits and, above them, signs."""
    return np.where(values < 0, (1 << bits) - values, values)


def stored_table(table: IntArray, *, symmetric: bool) -> IntArray:
    """Return what an engine stores of a product table: all of it, or its positive quarter.

    Raises
    ------
    ValueError
        If the positive quarter of a symmetric table has a negative entry.
    """
    if not symmetric:
        return table
    quarter = table[table.shape[0] // 2 :, table.shape[1] // 2 :]
    if quarter.min() < 0:
        raise ValueError("products of positive centroids must not be negative")
    return quarter
