"""How often index pairs occur, and occur together: what an error in one of them costs.

An output is a sum over index pairs, y = sum of count[i, j] * P[i, j]. An error e[i, j] in the
entries makes an output wrong by ``count @ e``, and wrong by ``e @ E[count count^T] @ e`` in mean
square. Counts hardly vary from token to token, so the second moments are far from diagonal: errors
of one sign add up.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.exact.codebook import FloatArray
from golden.exact.spec import IntArray

Levels = npt.NDArray[np.float32]

# What an error in a pair that calibration never met is taken to cost, against the mean cost.
UNSEEN = 1e-6


@dataclass(frozen=True)
class PairMoments:
    """Second moments of weighted counts.

    Symmetric codebooks have a level for each magnitude; it counts with its sign.

    Parameters
    ----------
    table : (p, p) float64
        Of the pairs (i, j) that the table is asked for: all inputs, p = levels_A * levels_W.
    codebook : (q, q) float64
        Of the products of real numbers that they stand for. Compensation makes outliers exact,
        so only the other inputs count as pairs; the outliers stand in one more level of
        activations, with their values, q = (levels_A + 1) * levels_W.
    """

    table: FloatArray
    codebook: FloatArray


def pair_moments(
    a_index: IntArray,
    w_index: IntArray,
    worth: FloatArray,
    *,
    levels: tuple[int, int],
    outlier_values: FloatArray,
    symmetric: bool,
    centred: bool = False,
) -> PairMoments:
    """Return the moments over tokens and output channels.

    Parameters
    ----------
    a_index : (T, K) int64
    w_index : (K, N) int64
    worth : (T, N) float64
        What a unit is worth in each output, relative to the root mean square.
    levels : (int, int)
        Entries of the activation and of the weight codebook.
    outlier_values : (T, K) float64
        x / s_a where the input is an outlier, 0 elsewhere.
    symmetric : bool
    centred : bool
        Whether only deviations from each output channel's mean over the tokens count, as where
        the bias makes the mean good.
    """
    rows = one_hot(a_index, levels[0], symmetric)
    columns = one_hot(w_index, levels[1], symmetric)
    inliers = rows * (outlier_values == 0)
    values = np.concatenate([inliers, outlier_values[None].astype(np.float32)])
    return PairMoments(
        _moments(rows, columns, worth, centred), _moments(values, columns, worth, centred)
    )


def one_hot(index: IntArray, levels: int, symmetric: bool) -> Levels:
    """Return (levels, ...) with 1 where the index is the level.

    Symmetric: (levels / 2, ...), with the sign where the index is the level's, on either side.
    """
    each = np.arange(levels).reshape(-1, *[1] * index.ndim)
    ones = (index == each).astype(np.float32)
    half = levels // 2
    return ones[half:] - ones[:half][::-1] if symmetric else ones


def _moments(rows: Levels, columns: Levels, worth: FloatArray, centred: bool) -> FloatArray:
    """Return E[c c^T] for c[i, j] = sum over k of rows[i, t, k] * columns[j, k, n]."""
    kinds, inputs, outputs = columns.shape
    flat = columns.transpose(1, 0, 2).reshape(inputs, -1)
    counts = np.stack([row @ flat for row in rows]).reshape(len(rows), -1, kinds, outputs)
    counts = counts.transpose(0, 2, 1, 3).reshape(len(rows) * kinds, -1, outputs)
    weighted = counts * worth.astype(np.float32)
    if centred:
        weighted -= weighted.mean(axis=1, keepdims=True)
    weighted = weighted.reshape(len(weighted), -1)
    moments = (weighted @ weighted.T).astype(np.float64) / worth.size
    return moments + np.eye(len(moments)) * (UNSEEN * np.trace(moments) / len(moments))
