"""Residual rows: what an outlier adds beyond its centroid, for every weight centroid."""

import numpy as np
import numpy.typing as npt

from golden.exact.fp16 import BitArray, decode
from golden.exact.spec import (
    A_FRACTION_BITS,
    RATIO_INTEGER_BITS,
    RECIPROCAL_SHIFT,
    IntArray,
    NumberSpec,
    round_shift,
)
from golden.exact.token_scale import Scale

BoolArray = npt.NDArray[np.bool_]


def reciprocal(mantissa: IntArray) -> IntArray:
    """Return ``2**27 / mantissa`` to the nearest integer, halves up; 17 bits, or 2**17."""
    return ((1 << (RECIPROCAL_SHIFT + 1)) + mantissa) // (2 * mantissa)


def ratio(bits: BitArray, scale: Scale) -> tuple[IntArray, BoolArray]:
    """Return x / s_a in units of 2**-10, and whether it saturated.

    Parameters
    ----------
    bits : (T, n) uint16
        Finite FP16 activations.
    scale : Scale
        (T,) token scales.

    Returns
    -------
    ratio : (T, n) int64
        Magnitudes below 2**21; halves are rounded away from zero.
    saturated : (T, n) bool
    """
    sign, mantissa, exponent = decode(bits)
    product = mantissa * reciprocal(scale.mantissa)[:, None]
    shift = RECIPROCAL_SHIFT - A_FRACTION_BITS - (exponent - scale.exponent[:, None])
    magnitude = round_shift(product, np.clip(shift, 1, 31))
    limit = (1 << (RATIO_INTEGER_BITS + A_FRACTION_BITS)) - 1
    # A shift below 1 means a ratio of at least 2**16: no mean of K activations allows that.
    saturated = (magnitude > limit) | ((shift < 1) & (mantissa > 0))
    magnitude = np.where(saturated, limit, magnitude)
    return np.where(sign == 1, -magnitude, magnitude), saturated


def residual_rows(
    spec: NumberSpec, residual: IntArray, w_centroids: IntArray
) -> tuple[IntArray, BoolArray]:
    """Return ``round(residual * C_W)`` in table units, and whether it saturated.

    Parameters
    ----------
    spec : NumberSpec
        Says where a row's entry saturates.
    residual : (T, n) int64
        x / s_a - C_A[a] in units of 2**-10.
    w_centroids : (2**n_W,) int64
        Weight centroids in units of ``2**-w_fraction_bits``.

    Returns
    -------
    rows : (T, n, 2**n_W) int64
        Halves are rounded away from zero; magnitudes up to ``spec.residual_max``.
    saturated : (T, n, 2**n_W) bool
    """
    product = residual[:, :, None] * w_centroids
    magnitude = round_shift(np.abs(product), A_FRACTION_BITS + spec.w_fraction_bits)
    saturated = magnitude > spec.residual_max
    magnitude = np.minimum(magnitude, spec.residual_max)
    return np.where(product < 0, -magnitude, magnitude), saturated
