"""What calibration says about a layer's input: its codebook, and what the layer will read."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.exact import fp16
from golden.exact.clustering import cluster, thresholds
from golden.exact.codebook import FloatArray, fit_codebook, require_index_bits, to_grid
from golden.exact.fp16 import BitArray
from golden.exact.outliers import select_outliers
from golden.exact.spec import A_FRACTION_BITS, IntArray
from golden.exact.token_scale import Scale, ScaleFactor, token_scale

FitCodebook = Callable[..., FloatArray]

# Centroids end below 32 token scales. Ratios end below 2048: half of it, as calibration may not
# have met the largest.
MAX_CENTROID = 31
MAX_RATIO = 1024


@dataclass(frozen=True)
class ActivationFit:
    """What calibration says about a layer's input.

    Parameters
    ----------
    factor : ScaleFactor
        Makes the token scale: the mean of absolute values, times a power of two if need be.
    codebook : (2**n_A,) float64
        Ascending, in token scales.
    largest_ratio : float
        Largest |x| / s_a, outliers included.
    """

    factor: ScaleFactor
    codebook: FloatArray
    largest_ratio: float


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
    x: BitArray, bits: int, *, symmetric: bool, k_top: int, fit: FitCodebook = fit_codebook
) -> ActivationFit:
    """Fit the activation codebook to tokens (T, K), without their outliers.

    Parameters
    ----------
    x : (T, K) uint16
    bits : int
        2, 3 or 4.
    symmetric : bool
    k_top : int
        Outliers on each side.
    fit : callable
        Finds the codebook of values.
    """
    require_index_bits("activation_bits", bits)
    mean = token_scale(x, ScaleFactor.mean(x.shape[1])).value()[:, None]
    ratio = x.view(np.float16).astype(np.float64) / mean
    inlier = ~_outlier_mask(fp16.key(x), k_top)
    # A token that consists of outliers alone (K = 1, say) still needs a codebook.
    codebook = fit(ratio[inlier] if inlier.any() else ratio.ravel(), bits, symmetric=symmetric)
    largest = float(np.abs(ratio).max())
    doublings = _doublings(float(np.abs(codebook).max()), largest)
    return ActivationFit(
        ScaleFactor.mean(x.shape[1], doublings),
        np.ldexp(codebook, -doublings),
        largest * 2.0**-doublings,
    )


def see(x: BitArray, fit: ActivationFit, k_top: int) -> SeenTokens:
    """Return what a layer with this codebook and ``k_top`` outliers a side reads of (T, K)."""
    keys = fp16.key(x)
    scale = token_scale(x, fit.factor)
    return SeenTokens(
        scale=scale,
        ratio=x.view(np.float16) / scale.value()[:, None],
        index=cluster(keys, thresholds(scale, to_grid(fit.codebook, A_FRACTION_BITS))),
        outlier=_outlier_mask(keys, k_top),
    )


def _doublings(largest_centroid: float, largest_ratio: float) -> int:
    """Return by how many powers of two the token scale should differ from the mean.

    None, as a rule. More where a centroid or an outlier would not fit; fewer where all
    centroids are so small that their grid would be coarse.
    """
    if not largest_centroid:
        return 0
    lowest = math.ceil(math.log2(max(largest_centroid / MAX_CENTROID, largest_ratio / MAX_RATIO)))
    finest = math.floor(math.log2(largest_centroid))
    return max(lowest, min(finest, 0))


def _outlier_mask(keys: IntArray, k_top: int) -> npt.NDArray[np.bool_]:
    mask = np.zeros(keys.shape, np.bool_)
    np.put_along_axis(mask, select_outliers(keys, k_top), True, axis=1)
    return mask
