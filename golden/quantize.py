"""Quantise a real linear layer: everything that happens offline, once."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden import fp16
from golden.clustering import cluster, thresholds
from golden.codebook import FloatArray, fit_codebook, nearest, require_index_bits, to_grid
from golden.errors import InputError
from golden.fp16 import BitArray
from golden.linear import W_EXPONENT_RANGE, QuantizedLinear
from golden.outliers import outliers_per_side, select_outliers
from golden.pair_moments import pair_moments
from golden.product_table import Table, product_table
from golden.spec import A_FRACTION_BITS, SCALE_BITS, IntArray, NumberSpec
from golden.token_scale import Scale, ScaleFactor, token_scale
from golden.weight_fit import fit_weights

Floats = npt.NDArray[np.floating]

# The narrowest entries whose rounding stays below a tenth of the quantisation error on at least 34
# of MiniLM's 36 linear layers, and below a fifth on all: `kllm study` measures it.
SYMMETRIC_MAGNITUDE_BITS = 8
PLAIN_MAGNITUDE_BITS = 9
# Centroids end below 32 token scales. Ratios end below 2048: half of it, as calibration may not
# have met the largest.
MAX_CENTROID = 31
MAX_RATIO = 1024
# Enough for the statistics of a product table; more costs time alone.
SAMPLE_TOKENS = 64
SAMPLE_OUTPUTS = 384


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
    spec = _spec(symmetric, magnitude_bits)
    x = _check(weight, bias, calibration)
    k_top = outliers_per_side(weight.shape[0], outlier_share)
    tokens = fit_activations(x, activation_bits, symmetric=symmetric, k_top=k_top)
    w = weight.astype(np.float64)
    energy = (x.view(np.float16).astype(np.float64) ** 2).mean(axis=0)
    channel, w_codebook = fit_weights(w, energy, weight_bits, symmetric=symmetric)
    table = _table(spec, x, tokens, w, channel, w_codebook, k_top)
    # Scales are rounded before the indices are chosen, so their rounding costs next to nothing.
    w_scale = to_scale(channel / table.unit)
    codebook = np.ldexp(table.w_centroids.astype(np.float64), -spec.w_fraction_bits)
    return QuantizedLinear(
        spec=spec,
        a_centroids=table.a_centroids,
        w_centroids=table.w_centroids,
        product_table=table.entries,
        w_index=nearest(w / w_scale.value(), codebook).astype(np.uint8),
        w_scale=w_scale,
        bias=fp16.to_bits(bias),
        k_top=k_top,
        factor=tokens.factor,
    )


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


def fit_activations(x: BitArray, bits: int, *, symmetric: bool, k_top: int) -> ActivationFit:
    """Fit the activation codebook to tokens (T, K), without their outliers."""
    require_index_bits("activation_bits", bits)
    mean = token_scale(x, ScaleFactor.mean(x.shape[1])).value()[:, None]
    ratio = x.view(np.float16).astype(np.float64) / mean
    inlier = ~_outlier_mask(fp16.key(x), k_top)
    # A token that consists of outliers alone (K = 1, say) still needs a codebook.
    codebook = fit_codebook(
        ratio[inlier] if inlier.any() else ratio.ravel(), bits, symmetric=symmetric
    )
    largest = float(np.abs(ratio).max())
    doublings = _doublings(float(np.abs(codebook).max()), largest)
    return ActivationFit(
        ScaleFactor.mean(x.shape[1], doublings),
        np.ldexp(codebook, -doublings),
        largest * 2.0**-doublings,
    )


def to_scale(values: FloatArray) -> Scale:
    """Round positive values to 11 significant bits; what is below the least scale becomes it."""
    fraction, exponent = np.frexp(values)
    mantissa = np.rint(np.ldexp(fraction, SCALE_BITS)).astype(np.int64)
    carry = mantissa >> SCALE_BITS
    mantissa, exponent = mantissa >> carry, exponent + carry - SCALE_BITS
    low = (values == 0) | (exponent < W_EXPONENT_RANGE.start)
    if (exponent[~low] >= W_EXPONENT_RANGE.stop).any():
        raise InputError(
            f"weights are too large: an output channel would have scale {values.max():.3g}; "
            f"allowed is up to 1e22"
        )
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


def _spec(symmetric: bool, magnitude_bits: int | None) -> NumberSpec:
    if magnitude_bits is None:
        magnitude_bits = SYMMETRIC_MAGNITUDE_BITS if symmetric else PLAIN_MAGNITUDE_BITS
    try:
        return NumberSpec(symmetric=symmetric, magnitude_bits=magnitude_bits)
    except (TypeError, ValueError) as error:
        raise InputError(str(error)) from error


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


def _table(
    spec: NumberSpec,
    x: BitArray,
    tokens: ActivationFit,
    w: FloatArray,
    channel: FloatArray,
    w_codebook: FloatArray,
    k_top: int,
) -> Table:
    """Return the product table that suits some evenly spaced tokens and output channels."""
    x = x[:: max(1, len(x) // SAMPLE_TOKENS)][:SAMPLE_TOKENS]
    step = max(1, len(channel) // SAMPLE_OUTPUTS)
    w, channel = w[:, ::step], channel[::step]
    scale = token_scale(x, tokens.factor)
    keys = fp16.key(x)
    outlier = _outlier_mask(keys, k_top)
    ratio = x.view(np.float16) / scale.value()[:, None]
    a_index = cluster(keys, thresholds(scale, to_grid(tokens.codebook, A_FRACTION_BITS)))
    unscaled = w / np.where(channel > 0, channel, 1)
    w_index = nearest(unscaled, w_codebook)
    worth = scale.value()[:, None] * channel
    worth = worth / np.sqrt((worth**2).mean()) if worth.any() else np.ones_like(worth)
    quantised = np.where(outlier, ratio, tokens.codebook[a_index]) @ w_codebook[w_index]
    return product_table(
        spec,
        tokens.codebook,
        w_codebook,
        pair_moments(
            a_index,
            w_index,
            worth,
            levels=(len(tokens.codebook), len(w_codebook)),
            outlier_values=np.where(outlier, ratio, 0),
            symmetric=spec.symmetric,
        ),
        quantisation=float(((worth * (quantised - ratio @ unscaled)) ** 2).mean()),
        largest_ratio=tokens.largest_ratio,
    )


def _outlier_mask(keys: IntArray, k_top: int) -> npt.NDArray[np.bool_]:
    mask = np.zeros(keys.shape, np.bool_)
    np.put_along_axis(mask, select_outliers(keys, k_top), True, axis=1)
    return mask
