"""The number specification: what cannot overflow, and the grid of 8-bit activations."""

from fractions import Fraction

import numpy as np
import pytest

from golden.exact import fp16
from golden.exact.grid import GRID, grid_index, made_rows
from golden.exact.linear import QuantizedLinear, forward
from golden.exact.mapping import index_code
from golden.exact.spec import NumberSpec, default_numbers
from golden.exact.token_scale import Scale, ScaleFactor

FORMS = [(symmetric, bits) for symmetric in (True, False) for bits in (4, 5, 8)]


def layer_of(
    inputs: int, *, symmetric: bool, activation_bits: int, k_top: int = 1, w_max: float = 0.9
) -> QuantizedLinear:
    """Return a layer whose weight codebook is as large as residual rows allow, times ``w_max``."""
    spec = default_numbers(symmetric=symmetric, activation_bits=activation_bits)
    a = GRID if spec.made else np.linspace(-3, 3, 1 << activation_bits) * 1024
    a = np.rint(a).astype(np.int64)
    fits = min(spec.residual_max(inputs) / (inputs + 20), spec.entry_max / 3)
    limit = (1 << spec.w_centroid_bits) - 1
    top = min(int(fits * w_max * (1 << spec.w_fraction_bits)), limit)
    w = np.rint(np.linspace(-1, 1, 16) * top).astype(np.int64)
    real = np.outer(a / 1024, w / (1 << spec.w_fraction_bits))
    table = np.clip(np.rint(real), -spec.entry_max, spec.entry_max).astype(np.int64)
    return QuantizedLinear(
        spec=spec,
        a_centroids=a,
        w_centroids=w,
        product_table=made_rows(w) if spec.made else table,
        w_index=np.array([[0, 5, 15]], np.uint8).repeat(inputs, axis=0),
        w_scale=Scale(np.full(3, 1024), np.full(3, -26)),
        bias=np.zeros(3, np.uint16),
        k_top=k_top,
        factor=ScaleFactor.mean(inputs),
    )


@pytest.mark.parametrize("inputs", [1, 5, 384, 1536, 4096, 16384])
@pytest.mark.parametrize(("symmetric", "activation_bits"), FORMS)
def test_an_activation_that_is_the_whole_token_is_exact(
    inputs: int, symmetric: bool, activation_bits: int
) -> None:
    layer = layer_of(inputs, symmetric=symmetric, activation_bits=activation_bits)
    x = np.zeros((2, inputs), np.uint16)
    x[0, inputs // 2], x[1, -1] = fp16.to_bits(np.array([3.0, -65504.0]))
    result = forward(layer, x)
    weights = layer.w_codebook()[[0, 5, 15]]
    ratio = np.array([[3.0], [-65504.0]]) / result.a_scale.value()[:, None]
    # Zeros have a centroid that need not be zero, but for the one that is an outlier, too: what
    # they add is part of the layer.
    zeros = layer.product_table[result.a_index[:, :1] if inputs > 1 else 0, [[0, 5, 15]]]
    exact = ratio * weights + max(inputs - 2, 0) * zeros
    table = np.abs(layer.product_table - np.outer(layer.a_codebook(), layer.w_codebook())).max()
    bound = 2 * table + 1 + np.abs(ratio) * 2.0**-17 * np.abs(weights) + np.abs(weights) * 2.0**-10
    assert (np.abs(result.sums - exact) <= bound).all()


@pytest.mark.parametrize(("symmetric", "activation_bits"), FORMS)
@pytest.mark.parametrize("inputs", [7, 384, 16384])
def test_no_token_leaves_the_accumulator(
    inputs: int, symmetric: bool, activation_bits: int
) -> None:
    share = max(inputs // 20, 1)
    layer = layer_of(inputs, symmetric=symmetric, activation_bits=activation_bits, k_top=share)
    rng = np.random.default_rng(inputs)
    x = rng.standard_normal((6, inputs)) ** 9
    x[3:] = np.abs(x[3:])
    x[5] = 1.0
    sums = forward(layer, fp16.to_bits(np.clip(x, -60000, 60000))).sums
    most = 1 << (layer.spec.sum_bits(inputs, 2 * share) - 1)
    assert np.abs(sums).max() < most
    assert layer.spec.sum_bits(inputs, 2 * share) <= 28


@pytest.mark.parametrize(("symmetric", "activation_bits"), FORMS)
def test_what_could_overflow_is_refused(symmetric: bool, activation_bits: int) -> None:
    layer = layer_of(4096, symmetric=symmetric, activation_bits=activation_bits)
    if not layer.spec.made:  # whose weight centroids have too few bits for it
        with pytest.raises(ValueError, match=r"codebook is too large|twice a row"):
            layer_of(4096, symmetric=symmetric, activation_bits=activation_bits, w_max=12.0)


def test_a_scale_that_is_too_small_is_refused() -> None:
    layer = layer_of(96, symmetric=True, activation_bits=4)
    with pytest.raises(ValueError, match="too small for 96 inputs"):
        QuantizedLinear(**{**vars(layer), "factor": ScaleFactor.mean(96, Fraction(1, 8))})


def test_digits_by_hand() -> None:
    table, made = (default_numbers(symmetric=True, activation_bits=bits) for bits in (4, 8))
    # (384 + 4) * 2**7 = 49 664 takes 16 bits, two digits of 8; (1536 + 4) * 2**7 takes 18.
    assert [table.residual_digits(k) for k in (1, 384, 1536, 16384)] == [2, 2, 3, 3]
    # Rows of 9 bits, weights an eighth as large: (16384 + 4) * 2**6 takes 21 bits, three digits.
    assert [made.residual_digits(k) for k in (384, 1536, 16384)] == [2, 2, 3]
    assert table.residual_max(384) == 65535  # what two digits hold; the room is 99 328
    assert table.sum_bits(384, 4) == (384 * 255 + 65535 + 4 * 512).bit_length() + 1


def test_only_some_forms_exist() -> None:
    with pytest.raises(ValueError, match="must be 4, 5 or 8, got 6"):
        NumberSpec(symmetric=True, magnitude_bits=8, activation_bits=6)
    four, five, made = (default_numbers(symmetric=True, activation_bits=b) for b in (4, 5, 8))
    assert five.runs(four)
    assert not four.runs(five)
    assert not made.runs(four)
    assert not five.runs(made)


def test_steps_of_the_grid_by_hand() -> None:
    scale = Scale(np.array([1024]), np.array([-10]))  # 1
    x = fp16.to_bits(
        np.array([[0, 1, -1, 1 / 32, -1 / 32, 0.03, 7.9375, 7.97, 8, -60000, 2.0**-24]])
    )
    steps = grid_index(x, scale) - 127
    assert steps.tolist() == [[0, 16, -16, 1, -1, 0, 127, 127, 127, -127, 0]]
    codes = index_code(grid_index(x, scale), len(GRID), symmetric=True, bits=8)
    assert codes[0, :5].tolist() == [0, 16, 144, 1, 129]


def test_steps_are_nearest_but_for_the_cut_reciprocal() -> None:
    rng = np.random.default_rng(3)
    scale = Scale(rng.integers(1024, 2048, 200), rng.integers(-30, -5, 200))
    real = np.clip(rng.uniform(-9, 9, (200, 40)) * scale.value()[:, None], -60000, 60000)
    x = fp16.to_bits(real)
    steps = grid_index(x, scale) - 127
    for row, values, unit in zip(steps, x.view(np.float16), scale.value(), strict=True):
        for step, value in zip(row.tolist(), values.tolist(), strict=True):
            exact = Fraction(value) / Fraction(float(unit)) * 16
            clipped = max(min(exact, Fraction(127)), Fraction(-127))
            assert abs(step - clipped) <= Fraction(1, 2) + abs(clipped) / 2**11


def test_made_rows_by_hand() -> None:
    rows = made_rows(np.array([-255, -4, 0, 1, 64, 255]))
    # q * c / 128: 127 * 255 is 253.008, 16 * -4 is half of a unit and goes away from zero.
    assert rows[127 + 127].tolist() == [-253, -4, 0, 1, 64, 253]
    assert rows[127 + 16].tolist() == [-32, -1, 0, 0, 8, 32]
    np.testing.assert_array_equal(rows, -rows[::-1])
