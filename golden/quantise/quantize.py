"""Quantise a real linear layer: everything that happens offline, once."""

import numpy as np
import numpy.typing as npt

from golden.base.errors import InputError
from golden.exact import fp16
from golden.exact.codebook import (
    A_INDEX_BITS,
    FloatArray,
    from_grid,
    nearest,
    require_index_bits,
)
from golden.exact.fp16 import BitArray
from golden.exact.linear import W_EXPONENT_RANGE, QuantizedLinear
from golden.exact.outliers import outliers_per_side
from golden.exact.spec import (
    A_FRACTION_BITS,
    GRID_BITS,
    SCALE_BITS,
    IntArray,
    NumberSpec,
    default_numbers,
)
from golden.exact.token_scale import Scale
from golden.quantise.activation_fit import ActivationFit, SeenTokens, fit_activations, see
from golden.quantise.pair_moments import pair_moments
from golden.quantise.product_table import Table, made_table, product_table
from golden.quantise.recipes.moments import InputMoments, input_moments
from golden.quantise.recipes.refined import come_to_rest, settle
from golden.quantise.recipes.table import DEFAULT, Recipe, require_recipe
from golden.quantise.recipes.weights import WeightFit

Floats = npt.NDArray[np.floating]

# Enough for the statistics of a product table; more costs time alone.
SAMPLE_TOKENS = 64
SAMPLE_OUTPUTS = 384
LEVEL_BITS = (4, 5)


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
    recipe: str = DEFAULT,
    on_grid: bool = False,
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
    weight_bits : int
        2, 3 or 4 bits an index.
    activation_bits : int
        2 to 5 bits an index; or 8, for rows made of a uniform grid.
    symmetric : bool
        Whether both codebooks are ``±c``.
    outlier_share : float
        Share of the inputs kept exact on each side, 0 to 0.5.
    magnitude_bits : int, optional
        Bits of a product beside its sign, 4 to 12.
    recipe : str
        A name in :data:`golden.quantise.recipes.table.RECIPES`, but for uniform grids.
    on_grid : bool
        Whether activations of 4 or 5 bits are levels of the grid of 8, so that rows are made.

    Returns
    -------
    QuantizedLinear

    Raises
    ------
    InputError
        If a number is not finite or out of range, or shapes do not match.
    """
    chosen = require_recipe(recipe)
    if chosen.uniform:
        raise InputError(
            f"the recipe {recipe} is for comparison, as no engine has such layers: `kllm eval`"
            " measures it"
        )
    try:
        require_index_bits("weight_bits", weight_bits)
        require_index_bits(
            "activation_bits", activation_bits, LEVEL_BITS if on_grid else A_INDEX_BITS
        )
        spec = default_numbers(
            symmetric=symmetric,
            magnitude_bits=magnitude_bits,
            activation_bits=GRID_BITS if on_grid else activation_bits,
        )
    except (TypeError, ValueError) as error:
        raise InputError(str(error)) from error
    x = _check(weight, bias, calibration)
    k_top = outliers_per_side(weight.shape[0], outlier_share)
    tokens = fit_activations(
        x,
        activation_bits,
        symmetric=symmetric,
        k_top=k_top,
        entry_max=spec.entry_max,
        on_grid=on_grid,
    )
    seen = see(x, tokens, k_top)
    moments = input_moments(seen, tokens.codebook, chosen.regard)
    w = weight.astype(np.float64)
    aim = w if chosen.plain else moments.towards @ w
    fit = chosen.fit(aim, moments, weight_bits, symmetric=symmetric)
    if tokens.made:
        table = made_table(spec, fit.codebook)
    else:
        table = _table(spec, seen, tokens, w, fit, centred=chosen.corrects)
    codebook = from_grid(table.w_centroids, spec.w_fraction_bits)
    scale, index = finish(
        chosen, aim, moments, WeightFit(fit.scale / table.unit, codebook, fit.index)
    )
    real_bias, offset = bias.astype(np.float64), np.zeros(len(bias))
    if chosen.corrects:
        live = fit.scale > 0
        lost = moments.given @ w - moments.mean @ (codebook[index] * scale.value())
        offset = np.where(live, _rounding_met(table, codebook, moments, index) * scale.value(), 0)
        real_bias += np.where(live, lost, 0) - offset
    return QuantizedLinear(
        spec=spec,
        a_centroids=table.a_centroids,
        w_centroids=table.w_centroids,
        product_table=table.entries,
        w_index=index.astype(np.uint8),
        w_scale=scale,
        bias=to_fp16("corrected bias", real_bias),
        k_top=k_top,
        factor=tokens.factor,
        offset=-offset,
        levels=tokens.levels,
    )


def _rounding_met(
    table: Table, codebook: FloatArray, moments: InputMoments, index: IntArray
) -> FloatArray:
    """Return what the table's rounding adds to each output channel (N,) in the mean, in scales."""
    rounding = table.entries - np.outer(from_grid(table.a_centroids, A_FRACTION_BITS), codebook)
    return np.take_along_axis(moments.shares.T @ rounding, index, axis=1).sum(axis=0)


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


def tokens_to_fp16(name: str, array: Floats) -> BitArray:
    """Return FP16 patterns as :func:`to_fp16` does; refuse tokens that would all become zero."""
    bits = to_fp16(name, array)
    if array.any() and not (bits & 0x7FFF).any():
        raise InputError(
            f"{name} must fit FP16 (from 6e-08), but the largest is {np.abs(array).max():.3g}:"
            " scale the activations up, and the weights down"
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
    return tokens_to_fp16("activations", calibration)


def _table(
    spec: NumberSpec,
    seen: SeenTokens,
    tokens: ActivationFit,
    w: FloatArray,
    fit: WeightFit,
    *,
    centred: bool,
) -> Table:
    """Return the product table that suits some evenly spaced tokens and output channels."""
    seen = seen.part(slice(None, None, max(1, -(-len(seen.ratio) // SAMPLE_TOKENS))))
    step = max(1, len(fit.scale) // SAMPLE_OUTPUTS)
    w, channel, index = w[:, ::step], fit.scale[::step], fit.index[:, ::step].astype(np.int64)
    worth = seen.scale.value()[:, None] * channel
    worth = worth / np.sqrt((worth**2).mean()) if worth.any() else np.ones_like(worth)
    error = seen.values(tokens.codebook) @ fit.codebook[index]
    error -= seen.ratio @ (w / np.where(channel > 0, channel, 1))
    error *= worth
    if centred:
        error -= error.mean(axis=0)
    return product_table(
        spec,
        tokens.codebook,
        fit.codebook,
        pair_moments(
            seen.index,
            index,
            worth,
            levels=(len(tokens.codebook), len(fit.codebook)),
            outlier_values=np.where(seen.outlier, seen.ratio, 0),
            symmetric=spec.symmetric,
            centred=centred,
        ),
        quantisation=float((error**2).mean()),
        inputs=len(w),
        most_ratio=1 / tokens.factor.value(),
    )


def finish(
    recipe: Recipe, w: FloatArray, moments: InputMoments, fit: WeightFit
) -> tuple[Scale, IntArray]:
    """Return scales in 11 bits, and indices, for a codebook that is final.

    Scales are rounded before the indices are chosen, so their rounding costs next to nothing.
    """
    if recipe.plain:
        scale = to_scale(fit.scale)
        return scale, nearest(w / scale.value(), fit.codebook)
    live, channel, index = fit.scale > 0, fit.scale.copy(), fit.index.copy()
    if not live.any():
        return to_scale(channel), index.astype(np.int64)
    w, part = w[:, live], WeightFit(channel[live], fit.codebook, index[:, live])
    channel[live], settled = settle(w, moments, part, recipe.steps)
    scale = to_scale(channel)
    part = WeightFit(scale.value()[live], fit.codebook, settled)
    index[:, live] = come_to_rest(w, moments, part, recipe.steps)
    return scale, index.astype(np.int64)
