"""The product table: integers that stand for ``C_A[i] * C_W[j]``, and the unit they count in.

Rounding each product to the nearest integer leaves errors that do not cancel: activations of a
layer keep much the same histogram from token to token, so a sum over K products meets the same
rounding errors again and again. How often index pairs occur, and occur together, is known from
calibration tokens; the table is rounded so that the *sum's* error is least. The hardware pays
nothing for it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.codebook import FloatArray, to_grid
from golden.spec import A_FRACTION_BITS, CENTROID_BITS, IntArray, NumberSpec

# Units tried, relative to the one that makes the largest product fit exactly. Beyond 1 the rarest
# products are clipped, which pays where a codebook has a long tail.
UNITS = np.exp2(np.arange(-6, 20) / 12)
# What an error in a pair that calibration never met is taken to cost, against the mean cost.
UNSEEN = 1e-6


@dataclass(frozen=True)
class Table:
    """A product table and the weight codebook that goes with it.

    Parameters
    ----------
    unit : float
        Table units per unit of the product of the real codebooks.
    w_centroids : (2**n_W,) int64
        In units of ``2**-spec.w_fraction_bits`` table units.
    entries : (2**n_A, 2**n_W) int64
    """

    unit: float
    w_centroids: IntArray
    entries: IntArray


def product_table(
    spec: NumberSpec,
    a_centroids: IntArray,
    w_codebook: FloatArray,
    moments: FloatArray,
    largest_ratio: float = 0.0,
) -> Table:
    """Choose the unit and round the products so that the expected arithmetic error is least.

    Parameters
    ----------
    spec : NumberSpec
        Says the largest entry and the grid of the weight codebook.
    a_centroids : (2**n_A,) int64
        In units of 2**-10 token scales.
    w_codebook : (2**n_W,) float64
        In channel scales.
    moments : (p, p) float64
        From :func:`pair_moments`.
    largest_ratio : float
        Largest |x| / s_a to expect; units that would saturate the residual row of an outlier
        half as large again are not tried.

    Returns
    -------
    Table
    """
    a = np.ldexp(a_centroids.astype(np.float64), -A_FRACTION_BITS)
    a_max, w_max = np.abs(a).max(), np.abs(w_codebook).max()
    if not a_max or not w_max:
        return _table(spec, a, w_codebook, 1.0, moments)[1]
    widest = ((1 << (CENTROID_BITS - 1)) - 1) / (1 << spec.w_fraction_bits)
    room = min(widest, spec.residual_max / (1.5 * max(largest_ratio, a_max))) / w_max
    units = np.unique(np.minimum(UNITS * (spec.entry_max + 0.49) / (a_max * w_max), room))
    tried = [_table(spec, a, w_codebook, unit, moments) for unit in units]
    return min(tried, key=lambda pair: pair[0])[1]


def pair_moments(
    a_index: IntArray,
    w_index: IntArray,
    scale: FloatArray,
    *,
    levels: tuple[int, int],
    symmetric: bool,
) -> FloatArray:
    """Return how index pairs occur together: E[c c^T] for the counts c of pairs in one output.

    An error e in the table entries then makes a mean squared error of ``e @ moments @ e`` in the
    outputs. Symmetric codebooks have a pair for each two magnitudes, counted with its sign.

    Parameters
    ----------
    a_index : (T, K) int64
    w_index : (K, N) int64
    scale : (T, N) float64
        What a table unit is worth in each output, up to a factor.
    levels : (int, int)
        Entries of the activation and of the weight codebook.
    symmetric : bool

    Returns
    -------
    (p, p) float64
        Relative to the mean square of ``scale``.
    """
    inputs, outputs = w_index.shape
    columns = _one_hot(w_index, levels[1], symmetric)  # (W, K, N)
    columns = columns.transpose(1, 0, 2).reshape(inputs, -1)
    # Exact: counts are small integers, and float32 keeps those up to 2**24.
    counts = np.stack([row @ columns for row in _one_hot(a_index, levels[0], symmetric)], axis=1)
    counts = counts.reshape(len(a_index), -1, outputs).transpose(1, 0, 2)
    relative = scale / np.sqrt((scale**2).mean())
    weighted = (counts * relative.astype(np.float32)).reshape(len(counts), -1)
    return (weighted @ weighted.T).astype(np.float64) / scale.size


def round_together(exact: FloatArray, moments: FloatArray, limit: int) -> tuple[FloatArray, float]:
    """Return integers within ``±limit`` near ``exact``, and ``e @ moments @ e`` of their error e.

    Starts from the nearest integers and takes the single step by 1 that helps most until none
    helps: a local minimum, within a few per cent of what wider searches found.
    """
    rounded = np.clip(np.rint(exact), -limit, limit)
    error = rounded - exact
    slope, curve = moments @ error, np.diag(moments)
    while True:
        up = np.where(rounded < limit, curve + 2 * slope, np.inf)
        down = np.where(rounded > -limit, curve - 2 * slope, np.inf)
        place, step = (up.argmin(), 1) if up.min() <= down.min() else (down.argmin(), -1)
        cost = error @ slope
        if min(up.min(), down.min()) >= -1e-9 * cost:
            return rounded, cost
        rounded[place] += step
        error[place] += step
        slope += step * moments[:, place]


def _table(
    spec: NumberSpec, a: FloatArray, w: FloatArray, unit: float, moments: FloatArray
) -> tuple[float, Table]:
    """Return the expected squared error, in units that do not depend on ``unit``, and the table."""
    w_centroids = to_grid(w * unit, spec.w_fraction_bits)
    exact = np.outer(a, np.ldexp(w_centroids.astype(np.float64), -spec.w_fraction_bits))
    if spec.symmetric:  # the quarter where both are positive says it all
        exact = exact[len(exact) // 2 :, exact.shape[1] // 2 :]
    floor = UNSEEN * np.trace(moments) / len(moments) or 1.0
    flat, cost = round_together(
        exact.ravel(), moments + floor * np.eye(len(moments)), spec.entry_max
    )
    entries = flat.reshape(exact.shape).astype(np.int64)
    if spec.symmetric:
        entries = np.concatenate([-entries[:, ::-1], entries], axis=1)
        entries = np.concatenate([-entries[::-1], entries])
    return cost / unit**2, Table(unit, w_centroids, entries)


def _one_hot(index: IntArray, levels: int, symmetric: bool) -> npt.NDArray[np.float32]:
    """Return (levels, ...) with 1 where the index is the level.

    Symmetric: (levels / 2, ...), per magnitude, ±1 by the sign.
    """
    each = np.arange(levels).reshape(-1, *[1] * index.ndim)
    ones = (index == each).astype(np.float32)
    half = levels // 2
    return ones[half:] - ones[:half][::-1] if symmetric else ones
