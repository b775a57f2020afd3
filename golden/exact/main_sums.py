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
    indices of a magnitude share one product. Where there are fewer weight indices, it is done for
    each of them instead.

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
    sums = np.zeros((len(a_index), w_index.shape[1]))
    by_weight = table.shape[1] < len(table)
    levels = table.T if by_weight else table
    half = len(levels) // 2
    symmetric = len(levels) % 2 == 0 and np.array_equal(levels[half:], -levels[:half][::-1])
    for i in range(half if symmetric else 0, len(levels)):
        own, mirrored = i, len(levels) - 1 - i if symmetric else None
        row = levels[i].astype(real)
        entries = _ones(w_index, own, mirrored, real) if by_weight else row[w_index]
        for start in range(0, len(a_index), TOKENS):
            index = a_index[start : start + TOKENS]
            left = row[index] if by_weight else _ones(index, own, mirrored, real)
            sums[start : start + TOKENS] += left @ entries
    return sums.astype(np.int64)


def _ones(
    index: npt.NDArray[np.integer], own: int, mirrored: int | None, real: type[np.floating]
) -> npt.NDArray[np.floating]:
    """Return 1 where the index is ``own``, and -1 where it is ``mirrored``."""
    ones = (index == own).astype(real)
    if mirrored is not None:
        ones -= index == mirrored
    return ones
