"""The lookups of the main branch, fast: exact matrix products instead of one lookup at a time."""

import numpy as np
import numpy.typing as npt

from golden.exact.spec import IntArray

# Integers up to here, and sums of them, are exact in float32, whatever the order.
FLOAT32_EXACT = 1 << 24
# Tokens at a time: the rows of ones and zeros stay in the cache.
TOKENS = 1024


def main_sums(table: IntArray, a_index: IntArray, w_index: npt.NDArray[np.uint8]) -> IntArray:
    """Return the sums over k of ``table[a_index[t, k], w_index[k, n]]``, exactly.

    For each activation index i, the tokens' rows of "is it i?" times the entries that i meets: a
    matrix product of integers. Where the table changes sign with the activation index, both
    indices of a magnitude share one product.

    Parameters
    ----------
    table : (2**n_A, 2**n_W) int64
    a_index : (T, K) int64
    w_index : (K, N) uint8

    Returns
    -------
    (T, N) int64
    """
    largest = int(np.abs(table).max(initial=0)) * a_index.shape[1]
    real = np.float32 if largest < FLOAT32_EXACT else np.float64
    half = len(table) // 2
    symmetric = np.array_equal(table[half:], -table[:half][::-1])
    sums = np.zeros((len(a_index), w_index.shape[1]))
    for i in range(half if symmetric else 0, len(table)):
        entries = table[i].astype(real)[w_index]
        for start in range(0, len(a_index), TOKENS):
            index = a_index[start : start + TOKENS]
            ones = (index == i).astype(real)
            if symmetric:
                ones -= index == len(table) - 1 - i
            sums[start : start + TOKENS] += ones @ entries
    return sums.astype(np.int64)
