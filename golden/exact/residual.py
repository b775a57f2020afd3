"""Residual rows: what an outlier adds beyond its centroid, for every weight centroid."""

import numpy as np

from golden.exact.fp16 import BitArray, decode
from golden.exact.spec import (
    A_FRACTION_BITS,
    RECIPROCAL_SHIFT,
    IntArray,
    NumberSpec,
    round_shift,
    round_shift_signed,
)
from golden.exact.token_scale import Scale


def reciprocal(mantissa: IntArray) -> IntArray:
    """Return ``2**27 / mantissa`` to the nearest integer, halves up; 17 bits, or 2**17."""
    return ((1 << (RECIPROCAL_SHIFT + 1)) + mantissa) // (2 * mantissa)


def ratio(bits: BitArray, scale: Scale) -> IntArray:
    """Return x / s_a in units of 2**-10.

    Parameters
    ----------
    bits : (T, n) uint16
        Finite FP16 activations.
    scale : Scale
        (T,) scales of their tokens, so that the ratios stay below 2**20.

    Returns
    -------
    (T, n) int64
        Halves are rounded away from zero.
    """
    sign, mantissa, exponent = decode(bits)
    product = mantissa * reciprocal(scale.mantissa)[:, None]
    shift = RECIPROCAL_SHIFT - A_FRACTION_BITS - (exponent - scale.exponent[:, None])
    # Some more bits, so that even the largest ratio of the longest token is shifted to the right.
    magnitude = round_shift(product << 4, np.clip(shift + 4, 1, 35))
    return np.where(sign == 1, -magnitude, magnitude)


def residual_rows(spec: NumberSpec, residual: IntArray, w_centroids: IntArray) -> IntArray:
    """Return ``round(residual * C_W)`` in table units.

    Parameters
    ----------
    spec : NumberSpec
        Says what the units are.
    residual : (T, n) int64
        x / s_a - C_A[a] in units of 2**-10.
    w_centroids : (2**n_W,) int64
        Weight centroids in units of ``2**-w_fraction_bits``.

    Returns
    -------
    (T, n, 2**n_W) int64
        Halves are rounded away from zero.
    """
    product = residual[:, :, None] * w_centroids
    return round_shift_signed(product, A_FRACTION_BITS + spec.w_fraction_bits)
