"""How indices and tables are coded on the wires and in the memories of an engine.

Sorted codebooks are convenient to reason about; hardware with symmetric codebooks is cheaper with
a sign and a magnitude. This is the only place that knows both.
"""

import numpy as np

from golden.exact.spec import IntArray

SIGN = 8  # the sign's place in a symmetric code; the magnitude index is below


def index_code(index: IntArray, centroids: int, *, symmetric: bool) -> IntArray:
    """Return the 4-bit code of each index into a sorted codebook.

    Parameters
    ----------
    index : (...,) int
        From 0 to ``centroids - 1``.
    centroids : int
        Length of the codebook: 4, 8 or 16.
    symmetric : bool
        Whether the codebook is. The code is then a sign in bit 3 and a magnitude index;
        otherwise it is the index itself.

    Returns
    -------
    (...,) int64
        0 to 15.
    """
    index = np.asarray(index, np.int64)
    if not symmetric:
        return index
    half = centroids // 2
    return np.where(index >= half, index - half, SIGN + half - 1 - index)


def stored_centroids(centroids: IntArray, *, symmetric: bool) -> IntArray:
    """Return what an engine stores of a codebook: all of it, or its positive half."""
    return centroids[len(centroids) // 2 :] if symmetric else centroids


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
