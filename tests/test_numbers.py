"""The number specification: what cannot overflow, and the grid of 8-bit activations."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from golden.exact import fp16
from golden.exact.grid import GRID, grid_index, made_rows
from golden.exact.linear import QuantizedLinear, forward
from golden.exact.mapping import index_code
from golden.exact.output_scaling import scaled
from golden.exact.spec import NumberSpec, default_numbers
from golden.exact.token_scale import (
    TOKEN_FACTOR_EXPONENTS,
    Scale,
    ScaleFactor,
    times_factor,
    token_scale,
)

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


def scales(*pairs: tuple[int, int]) -> Scale:
    """Return scales of these mantissas and exponents."""
    return Scale(*np.array(pairs).T)


def test_products_of_scales_and_factors_by_hand() -> None:
    # 1.5 * 1; 1025 * 1025 is 1026.0009 * 2**10; 1025 * 1536 is 1537.5 * 2**10, a half; 1025 * 2046
    # is two short of 2**21 and becomes it; 2047 * 2047 is 2046.0005 * 2**11.
    token = scales((1536, -12), (1025, -3), (1025, 0), (1025, -34), (2047, 6))
    factor = scales((1024, -10), (1025, -20), (1536, -10), (2046, 1), (2047, -11))
    got = times_factor(token, factor)
    assert got.mantissa.tolist() == [1536, 1026, 1538, 1024, 2046]
    assert got.exponent.tolist() == [-12, -13, 0, -22, 6]


def test_no_product_with_a_factor_leaves_the_range_of_scales() -> None:
    factors = TOKEN_FACTOR_EXPONENTS
    all_large = np.full((1, 16384), fp16.MAX_FINITE, np.uint16)
    largest = token_scale(all_large, ScaleFactor(1 << 15, -14))  # times 2, the most there is
    assert (largest.mantissa.item(), largest.exponent.item()) == (2047, 20)
    assert times_factor(largest, scales((2047, factors[-1]))).exponent.item() == 63
    smallest = token_scale(np.zeros((1, 4), np.uint16), ScaleFactor.mean(4))
    assert times_factor(smallest, scales((1024, factors[0]))).exponent.item() == -64
    assert 2.0**-30 >= 1024 * 2.0 ** factors[0]
    assert 2047 * 2.0 ** factors[-1] >= 2.0**42


@pytest.mark.parametrize(("symmetric", "activation_bits"), FORMS)
def test_a_factor_multiplies_outputs_alone(symmetric: bool, activation_bits: int) -> None:
    layer = layer_of(24, symmetric=symmetric, activation_bits=activation_bits)
    layer = replace(layer, bias=fp16.to_bits(np.array([0.0, 1.0, -30.0])))
    x = fp16.to_bits(np.random.default_rng(4).standard_normal((3, 24)) * [[1], [30], [300]])
    plain = forward(layer, x)
    # 1, a quarter, and three eighths, with which no mantissa but 1024 is as before.
    factor = scales((1024, -10), (1024, -12), (1536, -12))
    got = forward(layer, x, factor)
    for name in ("a_index", "outlier_index", "sums"):
        np.testing.assert_array_equal(getattr(got, name), getattr(plain, name))
    np.testing.assert_array_equal(got.a_scale.value(), plain.a_scale.value())
    np.testing.assert_array_equal(got.y[0], plain.y[0])
    token = Scale(plain.a_scale.mantissa[:, None], plain.a_scale.exponent[:, None])
    product, exponent = scaled(plain.sums, token, layer.w_scale)
    bias = np.array([0, 1, -30])
    quarter = np.ldexp(product[1].astype(float), exponent[1] - 2) + bias
    np.testing.assert_array_equal(got.y[1], fp16.to_bits(quarter))
    exact = 0.375 * np.ldexp(product[2].astype(float), exponent[2])
    y = got.y[2].view(np.float16) - bias
    # Half a unit of 11 bits, what both products cut, and FP16's rounding.
    np.testing.assert_allclose(y, exact, rtol=2.0**-11 + 2.0**-11 + 2.0**-10, atol=2.0**-6)


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (scales((1024, -41)), "from -40 to 32"),
        (scales((1024, 33)), "from -40 to 32"),
        (scales((1023, 0)), "from 1024 to 2047"),
        (scales((2048, 0)), "from 1024 to 2047"),
        (scales((1024, 0), (1024, 0)), "one for each token"),
    ],
)
def test_factors_that_cannot_be_are_refused(factor: Scale, said: str) -> None:
    layer = layer_of(4, symmetric=True, activation_bits=4)
    with pytest.raises(ValueError, match=said):
        forward(layer, np.zeros((1, 4), np.uint16), factor)


def test_a_factor_of_the_token_scale_that_is_too_large_is_refused() -> None:
    layer = layer_of(4, symmetric=True, activation_bits=4)
    replace(layer, factor=ScaleFactor(1 << 15, -14))
    with pytest.raises(ValueError, match="at most 2, got 2"):
        replace(layer, factor=ScaleFactor((1 << 15) + 1, -14))
