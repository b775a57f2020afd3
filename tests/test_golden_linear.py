"""The golden layer's parts against facts worked out by hand and exact rational arithmetic."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from golden.exact import fp16
from golden.exact.clustering import cluster, thresholds
from golden.exact.linear import QuantizedLinear, forward, reference
from golden.exact.main_sums import main_sums
from golden.exact.outliers import outliers_per_side, repeated, select_outliers
from golden.exact.residual import ratio, reciprocal, residual_rows
from golden.exact.spec import NumberSpec
from golden.exact.token_scale import Scale, ScaleFactor, token_scale


def bits(*values: float) -> fp16.BitArray:
    return fp16.to_bits(np.array(values))


def random_tokens(rng: np.random.Generator, tokens: int, inputs: int) -> fp16.BitArray:
    x = rng.standard_normal((tokens, inputs)) * np.exp2(rng.integers(-8, 5, (tokens, 1)))
    x[:, rng.integers(inputs)] *= 40
    return fp16.to_bits(x)


def random_layer(
    rng: np.random.Generator, inputs: int, outputs: int, k_top: int
) -> QuantizedLinear:
    spec = NumberSpec(symmetric=False, magnitude_bits=8)
    a, w = np.sort(rng.integers(-3000, 3000, 16)), np.sort(rng.integers(-4000, 4000, 16))
    return QuantizedLinear(
        spec=spec,
        a_centroids=a,
        w_centroids=w,
        product_table=np.clip(np.rint(np.outer(a / 1024, w / 64)).astype(np.int64), -255, 255),
        w_index=rng.integers(0, 16, (inputs, outputs)).astype(np.uint8),
        w_scale=Scale(rng.integers(1024, 2048, outputs), rng.integers(-28, -20, outputs)),
        bias=fp16.to_bits(rng.standard_normal(outputs)),
        k_top=k_top,
        factor=ScaleFactor.mean(inputs),
    )


def test_mean_of_four_worked_by_hand() -> None:
    scale = token_scale(bits(1, -2, 0.5, 0.5)[None], ScaleFactor.mean(4))
    assert scale.value().tolist() == [1.0]


def test_token_scale_is_the_mean_to_eleven_bits() -> None:
    x = random_tokens(np.random.default_rng(3), 200, 384)
    mean = np.abs(x.view(np.float16).astype(float)).mean(axis=1)
    scale = token_scale(x, ScaleFactor.mean(384))
    assert np.abs(scale.value() / mean - 1).max() < 2**-11 + 2**-15
    assert scale.mantissa.min() >= 1024
    assert scale.mantissa.max() <= 2047


def test_no_token_scale_is_below_the_smallest_fp16() -> None:
    x = np.zeros((2, 5), np.uint16)
    x[1, 3] = 1
    assert token_scale(x, ScaleFactor.mean(5)).value().tolist() == [2.0**-24] * 2


@pytest.mark.parametrize("inputs", [1, 2, 3, 384, 1535, 1536, 4096])
def test_scale_factor_is_one_over_the_inputs(inputs: int) -> None:
    factor = ScaleFactor.mean(inputs)
    assert 1 << 15 <= factor.mantissa < 1 << 16
    exact = Fraction(factor.mantissa) * Fraction(2) ** factor.exponent * inputs
    assert abs(exact - 1) <= Fraction(1, 1 << 16)


def test_a_value_on_a_midpoint_goes_up_and_minus_zero_is_zero() -> None:
    # Centroids -1, 0, 1, 3 at scale 1: midpoints -0.5, 0.5, 2.
    scale = Scale(np.array([1024]), np.array([-10]))
    bounds = thresholds(scale, np.array([-1, 0, 1, 3]) * 1024)
    x = bits(-0.5, 0.5, 2, np.nextafter(np.float16(2), np.float16(0)), -0.0, -7)[None]
    assert cluster(fp16.key(x), bounds).tolist() == [[1, 2, 3, 2, 1, 0]]


def test_clustering_decides_as_exact_arithmetic_does() -> None:
    rng = np.random.default_rng(4)
    x = random_tokens(rng, 12, 64)
    centroids = np.sort(rng.integers(-4000, 4000, 16))
    scale = token_scale(x, ScaleFactor.mean(64))
    got = cluster(fp16.key(x), thresholds(scale, centroids))
    for t in range(12):
        s = Fraction(float(scale.value()[t]))
        middle = [s * (int(a) + int(b)) / 2048 for a, b in itertools.pairwise(centroids)]
        for value, index in zip(x[t].view(np.float16).tolist(), got[t], strict=True):
            assert index == sum(Fraction(value) >= m for m in middle)


def test_outliers_take_the_lower_position_of_equals() -> None:
    keys = fp16.key(bits(0.0, 5, -3, 5, -0.0, -3, 1, 5)[None])
    assert select_outliers(keys, 3).tolist() == [[1, 3, 7, 2, 5, 0]]
    assert select_outliers(keys, 0).shape == (1, 0)


def test_a_position_on_both_sides_is_repeated() -> None:
    both = select_outliers(np.zeros((1, 6), np.int64), 2)
    assert both.tolist() == [[0, 1, 0, 1]]
    assert repeated(both).tolist() == [[False, False, True, True]]
    assert not repeated(select_outliers(np.arange(6)[None], 3)).any()


@pytest.mark.parametrize(
    ("inputs", "share", "k_top"),
    [(384, 0.005, 2), (1536, 0.005, 8), (10, 0.005, 1), (9, 0, 0), (200, 0.005, 1)],
)
def test_outliers_per_side(inputs: int, share: float, k_top: int) -> None:
    assert outliers_per_side(inputs, share) == k_top


def test_reciprocals_are_the_nearest_integers() -> None:
    mantissa = np.arange(1024, 2048)
    exact = [Fraction(1 << 27, m) for m in mantissa.tolist()]
    errors = [abs(int(r) - e) for r, e in zip(reciprocal(mantissa), exact, strict=True)]
    assert max(errors) <= Fraction(1, 2)


def test_ratio_is_x_over_scale_within_its_bound() -> None:
    rng = np.random.default_rng(5)
    x = random_tokens(rng, 50, 100)
    scale = token_scale(x, ScaleFactor.mean(100))
    got = ratio(x, scale)
    exact = x.view(np.float16).astype(float) / scale.value()[:, None]
    # Half a unit from the rounding, and 2**-17 of the value from the reciprocal.
    assert (np.abs(got / 1024 - exact) <= 2**-11 + np.abs(exact) * 2**-17).all()


def test_the_largest_ratios_are_exact() -> None:
    scale = Scale(np.array([1024, 1024]), np.array([-10 - 14, -10 - 1]))  # 2**-14 and 1/2
    assert ratio(bits(1, -60000)[:, None], scale).tolist() == [[1 << 24], [-120000 << 10]]


def test_residual_rows_round_halves_away() -> None:
    spec = NumberSpec(symmetric=False, magnitude_bits=8)
    # 1 * C_W in table units: 0.5, -0.5, 0.484375, 3; weights are in units of 1/64.
    rows = residual_rows(spec, np.array([[1024]]), np.array([-32, 31, 32, 192]))
    assert rows.tolist() == [[[-1, 0, 1, 3]]]
    rows = residual_rows(spec, np.array([[1 << 20]]), np.array([0, 4095, 4096, 32767]))
    assert rows[0, 0].tolist() == [0, 65520, 65536, 524272]


def test_tiny_layer_worked_by_hand() -> None:
    # Codebooks -3 -1 1 3 (both), one output, no outliers: mean |x| = 2, so x/s is 1, -3, 1, 0.5.
    layer = QuantizedLinear(
        spec=NumberSpec(symmetric=True, magnitude_bits=8),
        a_centroids=np.array([-3, -1, 1, 3]) * 1024,
        w_centroids=np.array([-3, -1, 1, 3]) * 64,
        product_table=np.outer([-3, -1, 1, 3], [-3, -1, 1, 3]),
        w_index=np.array([[3], [0], [1], [2]], np.uint8),  # weights 3, -3, -1, 1
        w_scale=Scale(np.array([1024]), np.array([-11])),  # 0.5
        bias=bits(0.25),
        k_top=0,
        factor=ScaleFactor.mean(4),
    )
    result = forward(layer, bits(2, -3.0, 2, 1)[None])
    assert result.a_scale.value().tolist() == [2.0]
    assert result.a_index.tolist() == [[2, 1, 2, 2]]  # 1, -1.5 -> -1, 1, 0.5 -> 1
    assert result.sums.tolist() == [[3 + 3 - 1 + 1]]
    assert result.y.view(np.float16).tolist() == [[6 * 2 * 0.5 + 0.25]]


def test_compensation_makes_outliers_exact() -> None:
    """The engine adds a residual to the centroid; the reference puts the outlier itself there."""
    rng = np.random.default_rng(6)
    layer = random_layer(rng, 96, 24, k_top=3)
    x = random_tokens(rng, 20, 96)
    result = forward(layer, x)
    exact = reference(layer, x, result)
    unit = result.a_scale.value()[:, None] * layer.w_scale.value()
    table_error = np.abs(
        layer.product_table - np.outer(layer.a_codebook(), layer.w_codebook())
    ).max()
    # Half a table unit per outlier, the ratio's rounding times the largest weight, the table.
    bound = 96 * table_error + 6 * (0.5 + np.abs(layer.w_codebook()).max() * 2**-9)
    got = result.y.view(np.float16).astype(float)
    assert (np.abs(got - exact) <= unit * bound + np.abs(exact) * 2**-10 + 2**-24).all()


def test_float_matrix_product_is_exact_integer_arithmetic() -> None:
    rng = np.random.default_rng(7)
    layer = random_layer(rng, 33, 7, k_top=2)
    result = forward(layer, random_tokens(rng, 5, 33))
    for t in range(5):
        slow = [
            sum(
                int(layer.product_table[a, w])
                for a, w in zip(result.a_index[t], column, strict=True)
            )
            for column in layer.w_index.T
        ]
        without = forward_sums_without_outliers(layer, result, t)
        assert slow == without


def forward_sums_without_outliers(layer: QuantizedLinear, result, t: int) -> list[int]:
    return main_sums(layer.product_table, result.a_index[t : t + 1], layer.w_index)[0].tolist()


def test_nonfinite_activations_count_as_zero_and_are_reported() -> None:
    rng = np.random.default_rng(8)
    layer = random_layer(rng, 16, 4, k_top=1)
    x = random_tokens(rng, 3, 16)
    x[1, 5], x[2, 7] = 0x7E00, 0xFC00
    clean = x.copy()
    clean[1, 5] = clean[2, 7] = 0
    result = forward(layer, x)
    assert result.nonfinite.tolist() == [False, True, True]
    np.testing.assert_array_equal(result.y, forward(layer, clean).y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k_top": 17}, "k_top must be from 0 to K = 16, got 17"),
        ({"bias": np.full(4, 0x7C00, np.uint16)}, "bias must be finite"),
        ({"a_centroids": np.arange(16)[::-1]}, "a_centroids must ascend"),
        ({"a_centroids": np.arange(5)}, "a_centroids must have 4, 8 or 16 entries"),
        ({"w_centroids": np.arange(16) * 4000}, "w_centroids must fit 16 bits"),
        ({"product_table": np.full((16, 16), 256)}, "product_table entries must be within ±255"),
        ({"w_index": np.full((16, 4), 16, np.uint8)}, "w_index must be below 16"),
    ],
)
def test_refuses_a_layer_that_cannot_be(change: dict, message: str) -> None:
    good = vars(random_layer(np.random.default_rng(9), 16, 4, k_top=1))
    with pytest.raises(ValueError, match=message):
        QuantizedLinear(**(good | change))


def test_refuses_tokens_of_another_length() -> None:
    layer = random_layer(np.random.default_rng(9), 16, 4, k_top=1)
    with pytest.raises(ValueError, match=r"x must have shape \(T, 16\), got \(2, 15\)"):
        forward(layer, np.zeros((2, 15), np.uint16))
