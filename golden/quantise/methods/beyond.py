"""The recipe of this project on numbers that no engine runs, to see what each choice costs.

Activations in FP16 show the floor: what weights alone lose. Uniform grids of any bits are integers
with everything else alike: search for indices, scales of channels and tokens, outliers, bias. Sums
of integers are exact in hardware, so they are evaluated as real numbers here.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from golden.exact import fp16
from golden.exact.codebook import FloatArray, require_index_bits
from golden.exact.fp16 import BitArray
from golden.exact.outliers import outliers_per_side
from golden.exact.token_scale import ScaleFactor, token_scale
from golden.quantise.activation_fit import ActivationFit, SeenTokens, fit_activations, outlier_mask
from golden.quantise.methods.grid import require_bits
from golden.quantise.methods.layer import Array, FakeQuantized
from golden.quantise.methods.rtn import to_half
from golden.quantise.quantize import finish
from golden.quantise.recipes.moments import input_moments
from golden.quantise.recipes.table import require_recipe
from golden.quantise.recipes.uniform import fit_grid

FULL_BITS = 16


def is_beyond(bits_a: int, recipe: str) -> bool:
    """Return whether no engine runs such layers, but this module does."""
    return bits_a == FULL_BITS or require_recipe(recipe).uniform


def require_beyond(bits_w: int, bits_a: int, recipe: str) -> None:
    """Raise InputError unless :func:`prepare_beyond` takes these bits."""
    if require_recipe(recipe).uniform:
        require_bits("bits_w", bits_w)
    else:
        require_index_bits("weight_bits", bits_w)
    if bits_a != FULL_BITS:
        require_bits("bits_a", bits_a)


def prepare_beyond(
    weight: Array,
    bias: Array,
    calibration: Array,
    *,
    bits_w: int,
    bits_a: int,
    seed: int,
    symmetric: bool,
    outlier_share: float,
    recipe: str,
) -> FakeQuantized:
    """Return the layer as :func:`golden.quantise.quantize.quantize_linear` would make it."""
    del seed  # nothing is random
    chosen = require_recipe(recipe)
    seen, codebook, read = _activations(
        fp16.to_bits(calibration), bits_a, outliers_per_side(len(weight), outlier_share)
    )
    moments = input_moments(seen, codebook, chosen.regard)
    w = weight.astype(np.float64)
    aim = w if chosen.plain else moments.towards @ w
    fit = chosen.fit(aim, moments, bits_w, symmetric=symmetric and not chosen.uniform)
    scale, index = finish(chosen, aim, moments, fit)
    values = fit.codebook[index] * np.where(fit.scale > 0, scale.value(), 0)
    if chosen.corrects:
        bias = bias + (moments.given @ w - moments.mean @ values).astype(np.float32)
    return FakeQuantized(values.T.astype(np.float32), bias, read)


def _activations(
    known: BitArray, bits: int, k_top: int
) -> tuple[SeenTokens, FloatArray, Callable[[Array], npt.NDArray[np.floating]]]:
    """Return calibration tokens as they are read, the codebook of that, and what reads others."""
    if bits == FULL_BITS:
        scale = token_scale(known, ScaleFactor.mean(known.shape[1]))
        ratio = known.view(np.float16) / scale.value()[:, None]
        every = np.ones(ratio.shape, np.bool_)
        seen = SeenTokens(scale, ratio, np.zeros(ratio.shape, np.int64), every)
        return seen, np.zeros(1), to_half
    fit = fit_activations(known, bits, symmetric=False, k_top=k_top, fit=fit_grid)

    def read(x: Array) -> FloatArray:
        seen = _on_grid(fp16.to_bits(x), fit, k_top)
        return seen.values(fit.codebook) * seen.scale.value()[:, None]

    return _on_grid(known, fit, k_top), fit.codebook, read


def _on_grid(x: BitArray, fit: ActivationFit, k_top: int) -> SeenTokens:
    """Return tokens (T, K) as a uniform grid with ``k_top`` exact outliers a side reads them."""
    grid, scale = fit.codebook, token_scale(x, fit.factor)
    ratio = x.view(np.float16) / scale.value()[:, None]
    index = np.clip(np.rint((ratio - grid[0]) / (grid[1] - grid[0])), 0, len(grid) - 1)
    return SeenTokens(scale, ratio, index.astype(np.int64), outlier_mask(fp16.key(x), k_top))
