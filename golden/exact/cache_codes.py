"""Codes of cached keys and values: what the chip keeps of a head's vector.

A vector of d FP16 numbers becomes d codes of 4 bits, a sign and one of eight magnitudes, and one
scale. The scale is that of a token (:mod:`golden.exact.token_scale`), so it is the mean absolute
value times a number chosen offline; the magnitude is found among the steps of the grid
(:mod:`golden.exact.grid`), by seven thresholds. The centroids that codes stand for are the weight
codebook of the lookups that read the cache.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.exact.fp16 import BitArray, flush_nonfinite
from golden.exact.grid import grid_index
from golden.exact.spec import GRID_MAX, SCALE_BITS, IntArray
from golden.exact.token_scale import Scale, ScaleFactor, token_scale

MAGNITUDES = 8
CENTROID_FRACTION_BITS = 6  # of what magnitudes stand for, in scales
# No scale is below 2**-14, so that it is a normal number in FP16, which keeps it exactly.
LEAST_EXPONENT = -14 - (SCALE_BITS - 1)
FP16_BIAS = 25  # exponent of the last place of a normal FP16 number, less its field


@dataclass(frozen=True)
class CacheFormat:
    """How vectors of a head become codes.

    Parameters
    ----------
    factor : ScaleFactor
        Makes the scale of a vector from the sum of its absolute values; at most 1.
    thresholds : (7,) int64
        Least steps of the grid, 1 to 127, of magnitudes 1 to 7; they do not descend.
    centroids : (8,) int64
        What magnitudes stand for: ascending, in units of 2**-6 scales, 0 to 511.
    """

    factor: ScaleFactor
    thresholds: IntArray
    centroids: IntArray

    def __post_init__(self) -> None:
        if self.thresholds.shape != (MAGNITUDES - 1,) or self.centroids.shape != (MAGNITUDES,):
            raise ValueError("a cache format has 7 thresholds and 8 centroids")
        for name, low, high in (("thresholds", 1, GRID_MAX), ("centroids", 0, 511)):
            values = getattr(self, name)
            if values.min() < low or values.max() > high or (np.diff(values) < 0).any():
                raise ValueError(f"{name} must ascend from {low} to {high}, got {values}")
        if self.factor.value() > 1:
            raise ValueError(f"factor must be at most 1, is {self.factor.value()}")

    def codebook(self) -> IntArray:
        """Return the centroids of both signs (16,), ascending: a weight codebook."""
        return np.concatenate([-self.centroids[::-1], self.centroids])


def cache_codes(x: BitArray, form: CacheFormat) -> tuple[IntArray, BitArray]:
    """Return what is kept of vectors.

    Parameters
    ----------
    x : (T, d) uint16
        FP16 numbers; what is not finite counts as zero.
    form : CacheFormat

    Returns
    -------
    codes : (T, d) int64
        Sign in bit 3, magnitude below; zero has a positive sign.
    scales : (T,) uint16
        FP16, normal.
    """
    finite = flush_nonfinite(x)
    scale = token_scale(finite, form.factor)
    low = scale.exponent < LEAST_EXPONENT
    scale = Scale(
        np.where(low, 1 << (SCALE_BITS - 1), scale.mantissa),
        np.where(low, LEAST_EXPONENT, scale.exponent),
    )
    steps = grid_index(finite, scale) - GRID_MAX
    magnitude = (np.abs(steps)[..., None] >= form.thresholds).sum(axis=-1)
    codes = magnitude + np.where(steps < 0, MAGNITUDES, 0)
    pattern = (scale.mantissa - (1 << (SCALE_BITS - 1))) | (scale.exponent + FP16_BIAS) << 10
    return codes, pattern.astype(np.uint16)


def values_of(codes: IntArray, scales: BitArray, form: CacheFormat) -> npt.NDArray[np.float32]:
    """Return what codes (T, d) with scales (T,) stand for."""
    sizes = form.centroids[codes % MAGNITUDES] * (2.0**-CENTROID_FRACTION_BITS)
    real = np.where(codes < MAGNITUDES, sizes, -sizes) * scales.view(np.float16)[:, None]
    return real.astype(np.float32)


def scale_of(pattern: BitArray, places: int) -> Scale:
    """Return normal, positive FP16 numbers times ``2**places`` as scales."""
    fields = pattern.astype(np.int64)
    return Scale(fields & 1023 | 1024, (fields >> 10) - FP16_BIAS + places)
