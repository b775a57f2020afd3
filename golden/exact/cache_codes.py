"""Codes of cached keys and values: what the chip keeps of a head's vector.

A vector of d FP16 numbers becomes d codes of 4 bits, a sign and one of eight magnitudes, and one
scale. The scale is that of a token (:mod:`golden.exact.token_scale`), so it is the mean absolute
value times a number chosen offline. Seven thresholds times the scale, a product each for the whole
vector, are FP16 numbers that an absolute value is compared with: how many it reaches is its
magnitude. The centroids that codes stand for are the weight codebook of the lookups that read the
cache.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.exact.fp16 import INFINITY, BitArray, flush_nonfinite
from golden.exact.spec import (
    GRID_BITS,
    GRID_FRACTION_BITS,
    GRID_MAX,
    SCALE_BITS,
    IntArray,
    bit_length,
)
from golden.exact.token_scale import Scale, ScaleFactor, token_scale

MAGNITUDES = 8
CENTROID_FRACTION_BITS = 6  # of what magnitudes stand for, in scales
# No scale is below 2**-14, so that it is a normal number in FP16, which keeps it exactly.
LEAST_EXPONENT = -14 - (SCALE_BITS - 1)
FP16_BIAS = 25  # exponent of the last place of a normal FP16 number, less its field
HALF_STEP = GRID_FRACTION_BITS + 1  # thresholds are odd numbers of half steps of the grid


@dataclass(frozen=True)
class CacheFormat:
    """How vectors of a head become codes.

    Parameters
    ----------
    factor : ScaleFactor
        Makes the scale of a vector from the sum of its absolute values; at most 1.
    thresholds : (7,) int64
        Least steps of 2**-4 scales, to the nearest, of magnitudes 1 to 7: 1 to 127; they do not
        descend.
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
        Sign in bit 3, magnitude below; the sign is the number's own, that of zeros, too.
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
    bounds = threshold_bounds(form.thresholds, scale)
    size = (finite & 0x7FFF).astype(np.int64)
    magnitude = (size[..., None] >= bounds[:, None]).sum(axis=-1)
    codes = magnitude + MAGNITUDES * (finite >> 15).astype(np.int64)
    pattern = (scale.mantissa - (1 << (SCALE_BITS - 1))) | (scale.exponent + FP16_BIAS) << 10
    return codes, pattern.astype(np.uint16)


def threshold_bounds(thresholds: IntArray, scale: Scale) -> IntArray:
    """Return the FP16 pattern (T, 7) of the least absolute value that reaches each threshold.

    That is half a step less than the threshold, times the scale, cut to an FP16 number; infinity
    where that is beyond FP16.

    Parameters
    ----------
    thresholds : (7,) int64
        1 to 127.
    scale : Scale
        (T,), with exponents of -24 or more.
    """
    product = (2 * thresholds - 1) * scale.mantissa[:, None]
    length = bit_length(product)
    mantissa = product << (SCALE_BITS + GRID_BITS - length) >> GRID_BITS
    # Of a number whose exponent field is 0 the last place is that of field 1.
    field = length - SCALE_BITS + scale.exponent[:, None] + FP16_BIAS - HALF_STEP
    pattern = (mantissa >> np.maximum(1 - field, 0)) + (np.maximum(field - 1, 0) << 10)
    return np.minimum(pattern, INFINITY)


def values_of(codes: IntArray, scales: BitArray, form: CacheFormat) -> npt.NDArray[np.float32]:
    """Return what codes (T, d) with scales (T,) stand for."""
    sizes = form.centroids[codes % MAGNITUDES] * (2.0**-CENTROID_FRACTION_BITS)
    real = np.where(codes < MAGNITUDES, sizes, -sizes) * scales.view(np.float16)[:, None]
    return real.astype(np.float32)


def scale_of(pattern: BitArray, places: int) -> Scale:
    """Return normal, positive FP16 numbers times ``2**places`` as scales."""
    fields = pattern.astype(np.int64)
    return Scale(fields & 1023 | 1024, (fields >> 10) - FP16_BIAS + places)
