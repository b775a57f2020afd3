"""Published methods on cases worked by hand."""

import itertools

import numpy as np
import pytest

from golden.base.errors import InputError
from golden.exact.token_scale import ScaleFactor
from golden.quantise.methods.atom import prepare_atom, shared_outliers
from golden.quantise.methods.gptq import Group, gptq, groups_of, nearest
from golden.quantise.methods.grid import largest_scale, quantize_rows, searched_scale, to_grid
from golden.quantise.methods.hadamard import hadamard, random_hadamard
from golden.quantise.methods.layer import Array
from golden.quantise.methods.quarot import prepare_quarot, prepare_rotated
from golden.quantise.methods.rtn import prepare_fp16, prepare_rtn
from golden.quantise.methods.smoothquant import best_scales, migration_scales, prepare_smoothquant
from golden.quantise.methods.static_thresholds import StaticInputs, thresholds
from golden.quantise.methods.table import METHODS, require_method


def row(*values: float) -> Array:
    return np.array([values], np.float32)


def random_layer(inputs: int, outputs: int, tokens: int = 64) -> tuple[Array, Array, Array]:
    """Return weights (K, N), bias and correlated tokens with two loud channels."""
    rng = np.random.default_rng(5)
    weight = rng.normal(size=(inputs, outputs)).astype(np.float32)
    mixing = rng.normal(size=(inputs, inputs)) / np.sqrt(inputs) + np.eye(inputs)
    x = rng.normal(size=(tokens, inputs)) @ mixing
    x[:, [1, inputs // 2]] *= 30
    return weight, rng.normal(size=outputs).astype(np.float32), x.astype(np.float32)


def test_a_grid_has_one_more_point_below_than_above() -> None:
    """The scale is 1; what lies beyond the ends is cut off; halves go to the even neighbour."""
    values = row(9, 7.4, 2.5, 3.5, -0.4, -7.6, -20)
    one = np.ones((1, 1))
    np.testing.assert_array_equal(to_grid(values, one, 4), row(7, 7, 2, 4, 0, -8, -8))
    np.testing.assert_array_equal(to_grid(values, one, 2), row(1, 1, 1, 1, 0, -2, -2))


def test_a_clipped_row_reaches_less_far() -> None:
    """Clipped at 0.7 the row's 10 has steps of 1: 10 becomes 7 and -8.2 becomes -8."""
    values = row(10, -8.2, 3.3, 0)
    np.testing.assert_allclose(quantize_rows(values, 4, clip=0.7), row(7, -8, 3, 0), rtol=1e-6)
    np.testing.assert_allclose(quantize_rows(row(7, 7, 14, 2), 4, group=2), row(7, 7, 14, 2))
    assert quantize_rows(row(0, 0), 4).tolist() == [[0, 0]]


def test_clipping_is_searched_where_it_pays() -> None:
    """Tops of 3 steps: two hundred ones beside a 2 want steps near 1/2, which cut the 2 to 1.5.

    At full reach, steps of 2/3, each one would be off by a third: 200 / 3**2.4 against 0.5**2.4.
    Two hundred threes beside a 2 lie on the grid already.
    """
    values = np.array([[1.0] * 200 + [2.0], [3.0] * 200 + [2.0]])
    np.testing.assert_allclose(searched_scale(values, 3), [[0.5], [1.0]], rtol=0.02)


@pytest.mark.parametrize("size", [1, 2, 12, 20, 24, 64, 384, 768])
def test_hadamard_matrices_are_orthogonal_and_flat(size: int) -> None:
    matrix = hadamard(size)
    np.testing.assert_allclose(np.abs(matrix), 1 / np.sqrt(size))
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(size), atol=1e-12)
    signed = random_hadamard(size, 3)
    np.testing.assert_allclose(signed.T @ signed, np.eye(size), atol=1e-12)
    np.testing.assert_array_equal(signed, random_hadamard(size, 3))


@pytest.mark.parametrize("size", [0, 3, 36])
def test_other_sizes_have_no_hadamard_matrix(size: int) -> None:
    with pytest.raises(InputError, match="Hadamard"):
        hadamard(size)


def test_gptq_moves_an_error_to_the_next_column() -> None:
    """Two equal inputs: the weights count as their sum, 0.8, which the nearest grid misses.

    To nearest, 0.4 + 0.4 becomes 0 + 0. Once the first has become 0, the second is to be 0.8.
    """
    calibration = np.ones((4, 2), np.float32)

    def unit(weights: np.ndarray, bits: int) -> np.ndarray:
        del bits
        return np.ones((len(weights), 1))

    groups = groups_of(2, 4)
    assert nearest(row(0.4, 0.4), groups, unit).tolist() == [[0, 0]]
    assert gptq(row(0.4, 0.4), calibration, groups, unit).tolist() == [[0, 1]]


def test_gptq_reaches_across_its_blocks() -> None:
    """Inputs 0 and 200 are always equal and their weights 0.4 each: one of them becomes 1."""
    x = np.random.default_rng(0).normal(size=(2000, 201))
    x[:, 200] = x[:, 0]
    weight = np.zeros((1, 201))
    weight[0, [0, 200]] = 0.4
    found = gptq(weight, x, groups_of(201, 4), lambda w, bits: np.ones((len(w), 1)))
    assert found[0, [0, 200]].tolist() == [0, 1]


def test_gptq_without_correlation_is_to_nearest() -> None:
    weight = np.random.default_rng(1).normal(size=(5, 6))
    calibration = np.eye(6) * np.arange(1, 7)
    groups = [Group(0, 4, 4), Group(4, 6, 8)]
    np.testing.assert_allclose(
        gptq(weight, calibration, groups, largest_scale), nearest(weight, groups, largest_scale)
    )


def test_gptq_is_near_the_best_of_all_roundings() -> None:
    """Every rounding of five weights up or down is tried; GPTQ halves the error of to nearest."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(100, 5)) @ (rng.normal(size=(5, 5)) + 2)
    found = []
    for _ in range(20):
        weight = rng.normal(size=(1, 5))
        groups = groups_of(5, 3)
        scale = largest_scale(weight, 3)
        down = np.floor(weight / scale)
        best = min(
            float(((x @ (weight - (down + up) * scale).T) ** 2).sum())
            for up in itertools.product((0, 1), repeat=5)
        )
        errors = [
            float(((x @ (weight - w).T) ** 2).sum())
            for w in (
                gptq(weight, x, groups, largest_scale),
                nearest(weight, groups, largest_scale),
            )
        ]
        found.append([best, *errors])
    best, with_gptq, to_nearest = np.sum(found, axis=0)
    assert best <= with_gptq < 0.5 * to_nearest


def test_smoothquant_scales_are_those_of_its_formula() -> None:
    """Inputs up to 16 and 1, weights up to 16 and 4 over both layers."""
    weights = [np.array([[1.0, 16.0], [0.5, 1.0]]), np.array([[-2.0], [-4.0]])]
    calibration = np.array([[-16.0, 0.5], [1.0, 1.0]])
    np.testing.assert_allclose(migration_scales(weights, calibration, 0.5), [1, 0.5])
    np.testing.assert_allclose(migration_scales(weights, calibration, 0.75), [4, 4**-0.25])
    with pytest.raises(InputError, match="alpha"):
        migration_scales(weights, calibration, 1.5)


def test_smoothquant_divides_loud_channels() -> None:
    weight, bias, x = random_layer(64, 32)
    scales = best_scales([weight], x, bits_w=4, bits_a=4)
    assert scales[[1, 32]].min() > 3 * np.median(scales)
    exact = x @ weight + bias
    errors = [
        ((prepare(weight, bias, x, bits_w=4, bits_a=4, seed=0)(x) - exact) ** 2).mean()
        for prepare in (prepare_smoothquant, prepare_rtn)
    ]
    assert errors[0] < 0.5 * errors[1]


def test_quarot_spreads_a_spike() -> None:
    """One channel of 64 holds all: rotated, each has 1/8 of it. Tops are at 0.9 and -0.9 * 8 / 7.

    A step is 0.9 / 7, so 1 is 7.8 steps, cut to 7; -1 is -7.8, rounded to -8.
    """
    x = np.zeros((1, 64), np.float32)
    x[0, 5] = 8
    weight = np.eye(64, dtype=np.float32)
    layer = prepare_quarot(weight, np.zeros(64, np.float32), x, bits_w=8, bits_a=4, seed=0)
    read = layer.activation(x)
    np.testing.assert_allclose(np.unique(read), [-0.9 * 8 / 7, 0.9], rtol=1e-5)
    assert layer.weight.shape == (64, 64)


def test_quarot_rotates_and_back() -> None:
    """With eight bits of either, outputs are the layer's own."""
    weight, bias, x = random_layer(24, 10)
    exact = x @ weight + bias
    layer = prepare_quarot(weight, bias, x, bits_w=8, bits_a=8, seed=4)
    # Clipping at 0.9 alone costs this much.
    assert np.abs(layer(x) - exact).mean() < 0.06 * np.abs(exact).mean()
    rotated = prepare_rotated(weight, bias, x, bits_w=8, bits_a=8, seed=0, feed_back=False)
    off = np.abs(rotated.weight.T - weight).max()
    assert off < np.abs(weight).max() / 100


def test_atom_keeps_loud_channels_in_eight_bits() -> None:
    """Channels 1 and 32 are 30 times as loud: they come last, in steps of 1/127."""
    weight, bias, x = random_layer(64, 32)
    assert shared_outliers(64) == 2
    layer = prepare_atom(weight, bias, x, bits_w=4, bits_a=4, seed=0)
    read = layer.activation(x)
    assert read.shape == x.shape
    loud = np.sort(x[:, [1, 32]], axis=1)
    off = np.abs(np.sort(read[:, -2:], axis=1) - loud)
    assert (off.max(axis=1) <= np.abs(loud).max(axis=1) / 254 * 1.001).all()
    steps = layer.weight[:, :-2] / np.abs(layer.weight[:, :-2]).max(axis=1, keepdims=True) * 8
    assert len(np.unique(np.round(layer.weight[0, :-2], 6))) <= 16
    assert steps.shape == (32, 62)


def test_atom_s_groups_and_clips() -> None:
    """To nearest: 256 channels in groups of 128, tops at 0.85 and 0.9 of each group's largest."""
    rng = np.random.default_rng(0)
    weight = rng.uniform(-1, 1, size=(256, 3)).astype(np.float32)
    x = np.concatenate([rng.uniform(-1, 1, (9, 128)), rng.uniform(-8, 8, (9, 128))], axis=1)
    x = x.astype(np.float32)
    layer = prepare_atom(
        weight, np.zeros(3, np.float32), x, bits_w=4, bits_a=4, seed=0, outliers=0, feed_back=False
    )
    order = np.argsort((x.astype(np.float64) ** 2).sum(axis=0), kind="stable")
    for at in (0, 128):
        part, read = x[:, order][:, at : at + 128], layer.activation(x)[:, at : at + 128]
        np.testing.assert_allclose(read.max(axis=1), 0.9 * np.abs(part).max(axis=1), rtol=0.15)
        rows = weight.T[:, order][:, at : at + 128]
        steps = 0.85 * np.abs(rows).max(axis=1, keepdims=True) / 7
        multiples = layer.weight[:, at : at + 128] / steps
        np.testing.assert_allclose(multiples, np.rint(multiples), atol=1e-4)
        assert multiples.min() >= -8.001
        assert multiples.max() <= 7.001


def test_gptq_helps_both_papers() -> None:
    weight, bias, x = random_layer(128, 32, tokens=512)
    exact = x @ weight + bias
    for prepare in (prepare_rotated, prepare_atom):
        errors = [
            (
                (prepare(weight, bias, x, bits_w=3, bits_a=8, seed=0, feed_back=f)(x) - exact) ** 2
            ).mean()
            for f in (True, False)
        ]
        assert errors[0] < 0.8 * errors[1], prepare


def test_fp16_rounds_once() -> None:
    weight = np.array([[1 / 3]], np.float32)
    layer = prepare_fp16(weight, np.zeros(1, np.float32), weight, bits_w=4, bits_a=4, seed=0)
    half = float(np.float16(1 / 3))
    assert layer(row(1 / 3))[0, 0] == pytest.approx(half * half, rel=1e-7)


def test_thresholds_keep_what_is_beyond_them() -> None:
    """Two a token on each side in the mean: all from one loud token, none from the others."""
    ratio = np.tile(np.linspace(-1, 1, 40), (5, 1))
    ratio[3] *= 9
    low, high = thresholds(ratio, 2)
    assert high == pytest.approx(np.sort(ratio[3])[-10])
    assert low == pytest.approx(-high)
    inputs = StaticInputs(low, high, np.array([-1.0, -0.5, 0.5, 1.0]), ScaleFactor.mean(40))
    read = inputs.values(ratio)
    np.testing.assert_array_equal(read[3, -10:], ratio[3, -10:])
    assert set(read[[0, 1, 2, 4]].ravel()) == {-1, -0.5, 0.5, 1}
    assert thresholds(ratio, 0) == (-np.inf, np.inf)
    # Tokens come in their own units; the mean magnitude of this one is 2.
    token = row(*[1.0, -1.0, 2.0, -2.0] * 9, 3, 3, 6.0, 14.0)
    own = StaticInputs(-9, 5, np.array([-1.0, -0.5, 0.5, 1.0]), ScaleFactor.mean(40))
    np.testing.assert_array_equal(own(token), row(*[1, -1, 2, -2] * 9, 2, 2, 2, 14))


@pytest.mark.parametrize("name", METHODS)
def test_each_method_comes_near_the_layer(name: str) -> None:
    """More bits come nearer, the seed alone decides, and a layer of equal rows stays so."""
    weight, bias, x = random_layer(48, 16)
    exact = x @ weight + bias
    prepare = require_method(name)
    found = [prepare(weight, bias, x, bits_w=bits, bits_a=bits, seed=1)(x) for bits in (4, 4, 3, 2)]
    np.testing.assert_array_equal(found[0], found[1])
    assert found[0].shape == exact.shape
    errors = [float(((y - exact) ** 2).mean() / exact.var()) for y in found[1:]]
    assert errors == sorted(errors)
    assert errors[0] < 0.2


def test_an_unknown_method_and_bits_are_refused() -> None:
    with pytest.raises(InputError, match="quarot"):
        require_method("quarat")
    weight, bias, x = random_layer(24, 4)
    for prepare in (prepare_rtn, prepare_quarot, prepare_atom, prepare_smoothquant):
        with pytest.raises(InputError, match="from 2 to 8"):
            prepare(weight, bias, x, bits_w=9, bits_a=4, seed=0)
    with pytest.raises(InputError, match="outlier channels"):
        prepare_atom(weight, bias, x, bits_w=4, bits_a=4, seed=0, outliers=-1)


@pytest.mark.parametrize("kind", ["one token", "equal tokens", "zeros"])
def test_every_method_takes_calibration_that_says_little(kind: str) -> None:
    """No moments, no correlation, no spread: a warning would be an error here."""
    weight, bias, x = random_layer(32, 4, tokens=1)
    seen = {"one token": x, "equal tokens": np.repeat(x, 4, axis=0), "zeros": 0 * x}[kind]
    for name, prepare in METHODS.items():
        y = prepare(weight, bias, seen, bits_w=4, bits_a=4, seed=0)(x)
        assert np.isfinite(y).all(), name
