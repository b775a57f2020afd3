"""Quantise a real linear layer: everything that happens offline, once."""

import numpy as np
import numpy.typing as npt

from golden import fp16
from golden.codebook import FloatArray, fit_codebook, nearest, require_index_bits, to_grid
from golden.errors import InputError
from golden.fp16 import BitArray
from golden.linear import W_EXPONENT_RANGE, QuantizedLinear
from golden.outliers import outliers_per_side, select_outliers
from golden.product_table import product_table
from golden.spec import A_FRACTION_BITS, CENTROID_BITS, SCALE_BITS, NumberSpec
from golden.token_scale import Scale, ScaleFactor, token_scale

Floats = npt.NDArray[np.floating]

# The narrowest entries whose rounding stays below a tenth of the quantisation error.
SYMMETRIC_MAGNITUDE_BITS = 8
PLAIN_MAGNITUDE_BITS = 9


def quantize_linear(
    weight: Floats,
    bias: Floats,
    calibration: Floats,
    *,
    weight_bits: int = 4,
    activation_bits: int = 4,
    symmetric: bool = False,
    outlier_share: float = 0.005,
    magnitude_bits: int | None = None,
) -> QuantizedLinear:
    """Return the integer layer that stands for ``x @ weight + bias``.

    Parameters
    ----------
    weight : (K, N) float
        Finite.
    bias : (N,) float
        Finite, also as FP16.
    calibration : (T, K) float
        Typical tokens, finite as FP16; the activation codebook is fitted to them.
    weight_bits, activation_bits : int
        2, 3 or 4 bits an index.
    symmetric : bool
        Whether both codebooks are ``±c``.
    outlier_share : float
        Share of the inputs kept exact on each side, 0 to 0.5.
    magnitude_bits : int, optional
        Bits of a product beside its sign, 4 to 12.

    Returns
    -------
    QuantizedLinear

    Raises
    ------
    InputError
        If a number is not finite or out of range, or shapes do not match.
    """
    require_index_bits("weight_bits", weight_bits)
    require_index_bits("activation_bits", activation_bits)
    x = _check(weight, bias, calibration)
    spec = NumberSpec(
        symmetric=symmetric,
        magnitude_bits=magnitude_bits
        or (SYMMETRIC_MAGNITUDE_BITS if symmetric else PLAIN_MAGNITUDE_BITS),
    )
    k_top = outliers_per_side(weight.shape[0], outlier_share)
    factor, a_centroids = _activation_codebook(x, activation_bits, symmetric, k_top)
    w = weight.astype(np.float64)
    channel = np.sqrt((w**2).mean(axis=0))
    live = channel > 0
    spread = w[:, live] / channel[live]
    w_real = fit_codebook(
        spread.ravel() if live.any() else np.zeros(1), weight_bits, symmetric=symmetric
    )
    unit = _unit(spec, np.ldexp(a_centroids, -A_FRACTION_BITS), w_real)
    w_centroids = to_grid(w_real * unit, spec.w_fraction_bits)
    w_scale = to_scale(channel / unit)
    codebook = np.ldexp(w_centroids.astype(np.float64), -spec.w_fraction_bits)
    return QuantizedLinear(
        spec=spec,
        a_centroids=a_centroids,
        w_centroids=w_centroids,
        product_table=product_table(spec, a_centroids, w_centroids),
        w_index=nearest(w / w_scale.value(), codebook).astype(np.uint8),
        w_scale=w_scale,
        bias=fp16.to_bits(bias),
        k_top=k_top,
        factor=factor,
    )


def to_scale(values: FloatArray) -> Scale:
    """Round positive values to 11 significant bits; what is below the least scale becomes it."""
    fraction, exponent = np.frexp(values)
    mantissa = np.rint(np.ldexp(fraction, SCALE_BITS)).astype(np.int64)
    carry = mantissa >> SCALE_BITS
    mantissa, exponent = mantissa >> carry, exponent + carry - SCALE_BITS
    low = (values == 0) | (exponent < W_EXPONENT_RANGE.start)
    if exponent[~low].size and exponent[~low].max() >= W_EXPONENT_RANGE.stop:
        raise InputError(f"weights up to {values.max():.3g} times the codebook are too large")
    return Scale(
        np.where(low, 1 << (SCALE_BITS - 1), mantissa),
        np.where(low, W_EXPONENT_RANGE.start, exponent).astype(np.int64),
    )


def require_finite(name: str, array: Floats) -> None:
    """Raise InputError, which says where, if there is a NaN or an infinity."""
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        place = ", ".join(str(i) for i in bad[0])
        raise InputError(
            f"{name} must be finite, but [{place}] is {array[tuple(bad[0])]}"
            f" ({len(bad)} such in all)"
        )


def to_fp16(name: str, array: Floats) -> BitArray:
    """Return FP16 patterns; raise InputError, which says where, if one would not be finite."""
    require_finite(name, array)
    bits = fp16.to_bits(array)
    bad = np.argwhere(~fp16.is_finite(bits))
    if len(bad):
        place = ", ".join(str(i) for i in bad[0])
        raise InputError(
            f"{name} must fit FP16 (up to 65504), but [{place}] is {array[tuple(bad[0])]:.6g}"
        )
    return bits


def _check(weight: Floats, bias: Floats, calibration: Floats) -> BitArray:
    """Return the calibration tokens as FP16 if the layer makes sense."""
    if weight.ndim != 2 or not weight.size:
        raise InputError(f"weight must have shape (K, N), both at least 1; got {weight.shape}")
    if bias.shape != weight.shape[1:]:
        raise InputError(f"bias must have shape {weight.shape[1:]}, got {bias.shape}")
    if calibration.ndim != 2 or calibration.shape[1] != weight.shape[0] or not len(calibration):
        raise InputError(
            f"activations must have shape (T, {weight.shape[0]}), T at least 1;"
            f" got {calibration.shape}"
        )
    require_finite("weight", weight)
    to_fp16("bias", bias)
    return to_fp16("activations", calibration)


def _activation_codebook(x: BitArray, bits: int, symmetric: bool, k_top: int):
    keys = fp16.key(x)
    inlier = np.ones(x.shape, np.bool_)
    np.put_along_axis(inlier, select_outliers(keys, k_top), False, axis=1)
    if not inlier.any():
        inlier[:] = True
    factor = ScaleFactor.mean(x.shape[1])
    ratio = x.view(np.float16).astype(np.float64) / token_scale(x, factor).value()[:, None]
    centroids = fit_codebook(ratio[inlier], bits, symmetric=symmetric)
    return factor, to_grid(centroids, A_FRACTION_BITS)


def _unit(spec: NumberSpec, a: FloatArray, w: FloatArray) -> float:
    largest = np.abs(a).max() * np.abs(w).max()
    if not largest:
        return 1.0
    room = ((1 << (CENTROID_BITS - 1)) - 1) / (1 << spec.w_fraction_bits) / np.abs(w).max()
    return min((spec.entry_max + 0.49) / largest, room)
