"""What calibration says about a layer's input: its codebook, and what the layer will read."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from golden.exact import fp16
from golden.exact.codebook import (
    A_INDEX_BITS,
    FloatArray,
    fit_codebook,
    from_grid,
    gather,
    require_index_bits,
    to_grid,
)
from golden.exact.fp16 import BitArray
from golden.exact.grid import GRID
from golden.exact.levels import Levels
from golden.exact.linear import activation_index
from golden.exact.outliers import select_outliers
from golden.exact.spec import A_FRACTION_BITS, GRID_BITS, IntArray
from golden.exact.token_scale import Scale, ScaleFactor, token_scale
from golden.quantise.level_fit import GRID_SCALES, fit_levels

FitCodebook = Callable[..., FloatArray]

# Centroids end below 32 token scales; scales below half of the mean are not allowed.
MAX_CENTROID = 31
LEAST_DOUBLINGS = -1
# The largest centroid over the root mean square, of weights with a bell-shaped distribution: says
# what rounding a made row's entries is worth in activations.
WEIGHT_REACH = 2.7


@dataclass(frozen=True)
class ActivationFit:
    """What calibration says about a layer's input.

    Parameters
    ----------
    factor : ScaleFactor
        Makes the token scale: the mean of absolute values, times a power of two if need be.
    codebook : (2**n_A,) float64
        Ascending, in token scales: the grid's 255 numbers where rows are made.
    levels : Levels, optional
        Those of the grid that are used, if not all are.
    """

    factor: ScaleFactor
    codebook: FloatArray
    levels: Levels | None = None

    @property
    def made(self) -> bool:
        """Whether rows are made, of activations on the grid."""
        return len(self.codebook) == len(GRID)


@dataclass(frozen=True)
class SeenTokens:
    """Tokens as a layer reads them.

    Parameters
    ----------
    scale : Scale
        (T,) token scales.
    ratio : (T, K) float64
        x / s_a.
    index : (T, K) int64
        Of each value's centroid.
    outlier : (T, K) bool
        What is kept exact.
    """

    scale: Scale
    ratio: FloatArray
    index: IntArray
    outlier: npt.NDArray[np.bool_]

    def values(self, codebook: FloatArray) -> FloatArray:
        """Return (T, K) in token scales: centroids, and outliers as they are."""
        return np.where(self.outlier, self.ratio, codebook[self.index])

    def part(self, tokens: slice) -> "SeenTokens":
        """Return some of the tokens."""
        scale = Scale(self.scale.mantissa[tokens], self.scale.exponent[tokens])
        return SeenTokens(scale, self.ratio[tokens], self.index[tokens], self.outlier[tokens])


def fit_activations(
    x: BitArray,
    bits: int,
    *,
    symmetric: bool,
    k_top: int,
    fit: FitCodebook | None = None,
    entry_max: int = 255,
    on_grid: bool = False,
) -> ActivationFit:
    """Fit the activation codebook to tokens (T, K), without their outliers.

    Parameters
    ----------
    x : (T, K) uint16
    bits : int
        2 to 5, or 8 for the grid; any that ``fit`` takes.
    symmetric : bool
    k_top : int
        Outliers on each side.
    fit : callable
        Finds the codebook of values, in the place of K-Means and of the grid.
    entry_max : int
        Largest entry of a row, for rows that are made.
    on_grid : bool
        Whether a codebook of 4 or 5 bits is levels of the grid, so that its rows are made.
    """
    if not fit:
        require_index_bits("activation_bits", bits, A_INDEX_BITS)
    mean = token_scale(x, ScaleFactor.mean(x.shape[1])).value()[:, None]
    ratio = x.view(np.float16).astype(np.float64) / mean
    inlier = ~outlier_mask(fp16.key(x), k_top)
    # A token that consists of outliers alone (K = 1, say) still needs a codebook.
    values = ratio[inlier] if inlier.any() else ratio.ravel()
    if (bits == GRID_BITS or on_grid) and not fit:
        grid, levels = from_grid(GRID, A_FRACTION_BITS), None
        row_step = WEIGHT_REACH * grid[-1] / entry_max
        if on_grid:
            scale, levels = fit_levels(values, bits, row_step)
        else:
            scale = _grid_scale(values, grid, row_step)
        return ActivationFit(ScaleFactor.mean(x.shape[1], scale), grid, levels)
    codebook = (fit or fit_codebook)(values, bits, symmetric=symmetric)
    doublings = _doublings(float(np.abs(codebook).max()))
    return ActivationFit(
        ScaleFactor.mean(x.shape[1], Fraction(2) ** doublings), np.ldexp(codebook, -doublings)
    )


def see(x: BitArray, fit: ActivationFit, k_top: int) -> SeenTokens:
    """Return what a layer with this codebook and ``k_top`` outliers a side reads of (T, K)."""
    keys = fp16.key(x)
    scale = token_scale(x, fit.factor)
    return SeenTokens(
        scale=scale,
        ratio=x.view(np.float16) / scale.value()[:, None],
        index=activation_index(
            x,
            scale,
            to_grid(fit.codebook, A_FRACTION_BITS),
            made=fit.made,
            levels=fit.levels,
        ),
        outlier=outlier_mask(keys, k_top),
    )


def _doublings(largest_centroid: float) -> int:
    """Return by how many powers of two the token scale should differ from the mean.

    None, as a rule. More where a centroid would not fit; fewer where all centroids are so small
    that their grid would be coarse.
    """
    if not largest_centroid:
        return 0
    lowest = math.ceil(math.log2(largest_centroid / MAX_CENTROID))
    finest = math.floor(math.log2(largest_centroid))
    return max(lowest, min(finest, 0), LEAST_DOUBLINGS)


def _grid_scale(values: FloatArray, grid: FloatArray, row_step: float) -> Fraction:
    """Return the token scale, in means, with which values in means lose least.

    What is beyond the grid is lost; the rest is rounded to a step of it, and once more in the
    row, in steps of ``row_step``.
    """
    magnitudes, counts = gather(np.abs(values), np.full(len(values), 1 / len(values)))
    steps = (grid[-1] - grid[-2]) ** 2 + row_step**2

    def error(scale: Fraction) -> float:
        beyond = np.maximum(magnitudes - float(scale) * grid[-1], 0)
        return float(counts @ beyond**2 + float(scale) ** 2 * steps / 12)

    return min(GRID_SCALES, key=error)


def outlier_mask(keys: IntArray, k_top: int) -> npt.NDArray[np.bool_]:
    """Return which values of tokens (T, K), given as what compares like them, are outliers."""
    mask = np.zeros(keys.shape, np.bool_)
    np.put_along_axis(mask, select_outliers(keys, k_top), True, axis=1)
    return mask
