"""Random layers and tokens for benches: every shape and number that a layer may have."""

from fractions import Fraction

import numpy as np

from golden.exact.codebook import from_grid
from golden.exact.fp16 import BitArray
from golden.exact.grid import GRID, made_rows
from golden.exact.linear import QuantizedLinear
from golden.exact.spec import A_FRACTION_BITS, IntArray, NumberSpec
from golden.exact.token_scale import TOKEN_FACTOR_EXPONENTS, Scale, ScaleFactor
from hw.engine_spec import EngineSpec
from sim.kit.codebooks import LARGEST
from sim.kit.corners import finite


def random_layer(
    rng: np.random.Generator,
    numbers: NumberSpec,
    *,
    inputs: int,
    outputs: int,
    k_top: int,
    activation_bits: int = 4,
    weight_bits: int = 4,
) -> QuantizedLinear:
    """Return a layer with random constants, large and small, of a given shape."""
    factor = ScaleFactor.mean(inputs, Fraction(2) ** int(rng.integers(-1, 2)))
    if numbers.made:
        a_centroids = GRID
    else:
        a_centroids = _codebook(rng, 1 << activation_bits, numbers.symmetric)
    w_centroids = fitting_codebook(rng, numbers, 1 << weight_bits, inputs, factor, a_centroids)
    # Of the products only their range matters to an engine.
    shape = len(a_centroids), len(w_centroids)
    if numbers.made:
        table = made_rows(w_centroids)
    elif numbers.symmetric:
        quarter = rng.integers(0, numbers.entry_max, (shape[0] // 2, shape[1] // 2), endpoint=True)
        half = np.hstack([-quarter[:, ::-1], quarter])
        table = np.vstack([-half[::-1], half])
    else:
        table = rng.integers(-numbers.entry_max, numbers.entry_max, shape, endpoint=True)
    return QuantizedLinear(
        spec=numbers,
        a_centroids=a_centroids,
        w_centroids=w_centroids,
        product_table=table,
        w_index=rng.integers(0, shape[1], (inputs, outputs)).astype(np.uint8),
        w_scale=Scale(rng.integers(1024, 2048, outputs), rng.integers(-32, -18, outputs)),
        bias=finite(rng, (outputs,)),
        k_top=k_top,
        factor=factor,
    )


def random_tokens(rng: np.random.Generator, count: int, inputs: int) -> BitArray:
    """Return tokens (T, K): like real ones, with ties, all zero, or of any finite pattern."""
    bell = rng.normal(size=(count, inputs)) * np.exp2(rng.integers(-20, 8, (count, 1)))
    bell *= np.where(rng.random((count, inputs)) < 0.03, 30, 1)
    x = np.clip(bell, -60000, 60000).astype(np.float16).view(np.uint16)
    kind = np.arange(count) % 4
    x[kind == 1] = finite(rng, (int((kind == 1).sum()), inputs))
    x[kind == 2] &= 0xF400  # few distinct values: ties
    x[kind == 3] = rng.choice(x[:, 0], ((kind == 3).sum(), 1))
    if count > 8:
        x[8] = 0
    return x


def random_factors(rng: np.random.Generator, count: int) -> Scale:
    """Return factors (T,) of tokens; most leave outputs that are usual, some do not."""
    exponents = rng.integers(-16, -4, count)
    exponents[::5] = rng.choice([TOKEN_FACTOR_EXPONENTS[0], TOKEN_FACTOR_EXPONENTS[-1]])
    return Scale(rng.integers(1024, 2048, count), rng.permutation(exponents))


def fitting_codebook(
    rng: np.random.Generator,
    numbers: NumberSpec,
    count: int,
    inputs: int,
    factor: ScaleFactor,
    a_centroids: IntArray,
) -> IntArray:
    """Return a weight codebook with which no outlier is too large; often the largest."""
    a_max = from_grid(np.abs(a_centroids).max(), A_FRACTION_BITS)
    fits = (numbers.residual_max(inputs) - 1) / (factor.ratio_max() + a_max)
    fits = min(fits, 2 * (numbers.entry_max + 1) / max(a_max, 2.0**-10))
    limit = min(int(fits * (1 << numbers.w_fraction_bits)), (1 << numbers.w_centroid_bits) - 1)
    codebook = _codebook(rng, count, numbers.symmetric, limit)
    if rng.random() < 0.5:
        codebook[-1] = limit
        codebook[0] = -limit if numbers.symmetric else codebook[0]
    return codebook


def _codebook(
    rng: np.random.Generator, count: int, symmetric: bool, limit: int = LARGEST
) -> IntArray:
    """Return ascending centroids within a limit; mostly near zero, some far."""
    if rng.random() < 0.7:
        limit = min(limit, 4 << 10)
    if symmetric:
        positive = np.sort(rng.integers(0, limit, count // 2, endpoint=True))
        return np.concatenate([-positive[::-1], positive])
    return np.sort(rng.integers(-limit, limit, count, endpoint=True))


def any_layer(
    rng: np.random.Generator, spec: EngineSpec, *, outputs: int = 0, k_top: int | None = None
) -> QuantizedLinear:
    """Return a layer that an engine can run, of a shape not a multiple of the lanes as a rule."""
    inputs = int(rng.integers(1, spec.inputs_max, endpoint=True))
    most = min(spec.outliers_max, inputs)
    return random_layer(
        rng,
        spec.numbers,
        inputs=inputs,
        outputs=outputs or int(rng.integers(1, spec.outputs_max, endpoint=True)),
        k_top=int(rng.integers(0, most, endpoint=True)) if k_top is None else min(k_top, most),
        activation_bits=int(rng.integers(2, min(spec.code_bits, 5), endpoint=True)),
        weight_bits=int(rng.integers(2, 5)),
    )
