"""The recipe of this project on numbers that no engine runs, to see what each choice costs.

Activations in FP16 show the floor: what weights alone lose. Uniform grids of any bits are integers
with everything else alike: search for indices, scales of channels and tokens, outliers, bias. Sums
of integers are exact in hardware, so they are evaluated as real numbers here.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from golden.base.errors import InputError
from golden.exact import fp16
from golden.exact.codebook import A_INDEX_BITS, W_INDEX_BITS, FloatArray
from golden.exact.fp16 import BitArray
from golden.exact.outliers import outliers_per_side
from golden.exact.token_scale import ScaleFactor, token_scale
from golden.quantise.activation_fit import SeenTokens, fit_activations, see
from golden.quantise.methods.grid import require_bits
from golden.quantise.methods.layer import Array, FakeQuantized
from golden.quantise.methods.rtn import to_half
from golden.quantise.quantize import finish
from golden.quantise.recipes.moments import input_moments
from golden.quantise.recipes.table import require_recipe
from golden.quantise.recipes.uniform import fit_grid

FULL_BITS = 16


def is_beyond(bits_w: int, bits_a: int, recipe: str) -> bool:
    """Return whether no engine runs layers of these bits, but this module does."""
    grids = require_recipe(recipe).uniform
    tables = bits_w in W_INDEX_BITS and bits_a in A_INDEX_BITS[:-1]
    return bits_a == FULL_BITS or (grids and not tables)


def require_beyond(bits_w: int, bits_a: int, recipe: str) -> None:
    """Raise InputError unless :func:`prepare_beyond` takes these bits."""
    if require_recipe(recipe).uniform:
        require_bits("bits_w", bits_w)
    elif bits_w not in W_INDEX_BITS:
        raise InputError(f"bits_w must be 2, 3 or 4, got {bits_w}")
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
        seen = see(fp16.to_bits(x), fit, k_top)
        return seen.values(fit.codebook) * seen.scale.value()[:, None]

    return see(known, fit, k_top), fit.codebook, read
