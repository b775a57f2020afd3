"""Outliers: the largest and the smallest activations of each token (Orizuru's result)."""

import math

import numpy as np
import numpy.typing as npt

from golden.base.errors import InputError
from golden.exact.spec import IntArray


def outliers_per_side(inputs: int, share: float) -> int:
    """Return k_top: ``ceil(share * inputs)``; at least 1 unless the share is 0.

    Raises
    ------
    InputError
        If the share is not from 0 to 0.5.
    """
    if not 0 <= share <= 0.5:
        raise InputError(f"the share of outliers on each side must be from 0 to 0.5, got {share}")
    return min(math.ceil(round(share * inputs, 9)), inputs)  # 0.005 * 200 is 1, not 1 + epsilon


def select_outliers(keys: IntArray, k_top: int) -> IntArray:
    """Return the positions of the ``k_top`` largest and the ``k_top`` smallest of each token.

    Parameters
    ----------
    keys : (T, K) int64
        FP16 keys.
    k_top : int
        0 to K.

    Returns
    -------
    (T, 2 * k_top) int64
        First the largest in descending, then the smallest in ascending order. Of equals the
        lower position comes first, on both sides; a position can stand on both.

    Raises
    ------
    ValueError
        If a token has fewer than ``k_top`` activations.
    """
    if not 0 <= k_top <= keys.shape[1]:
        raise ValueError(f"k_top must be from 0 to K = {keys.shape[1]}, got {k_top}")
    return np.concatenate([_first(-keys, k_top), _first(keys, k_top)], axis=1)


def _first(keys: IntArray, count: int) -> IntArray:
    """Return the positions of each row's ``count`` smallest keys, the lower of equals first."""
    inputs = keys.shape[1]
    if not count:
        return np.zeros((len(keys), 0), np.int64)
    # Keys that carry their position are all different; only those that come first are sorted.
    ranked = keys * inputs + np.arange(inputs)
    ranked.partition(count - 1, axis=1)
    return np.sort(ranked[:, :count], axis=1) % inputs


def repeated(positions: IntArray) -> npt.NDArray[np.bool_]:
    """Return which entries name a position that stood earlier in the row.

    Ties can put a position on both sides (all activations equal, say). It is compensated once.
    """
    half = positions.shape[1] // 2
    again = np.zeros(positions.shape, np.bool_)
    again[:, half:] = (positions[:, half:, None] == positions[:, None, :half]).any(axis=2)
    return again
