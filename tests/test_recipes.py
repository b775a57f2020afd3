"""Recipes: what the refined one must reach, against exhaustive search and hand-worked cases."""

import itertools

import numpy as np
import pytest

from golden.base.errors import InputError
from golden.exact.fp16 import to_bits
from golden.exact.linear import forward, reference
from golden.models.layer_source import LayerSource, model_layers
from golden.quantise.activation_fit import fit_activations, see
from golden.quantise.methods.rtn import prepare_rtn
from golden.quantise.pair_moments import pair_moments
from golden.quantise.quantize import quantize_linear
from golden.quantise.recipes.descent import descend, error_feedback
from golden.quantise.recipes.moments import input_moments
from golden.quantise.recipes.refit import better_codebook, better_scales
from golden.quantise.recipes.uniform import fit_grid

BOOK = np.array([-1.5, -0.4, 0.3, 1.7], np.float32)


def gram_of(inputs: int, seed: int) -> np.ndarray:
    """Return moments of strongly correlated inputs."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((40, inputs)) + 2 * rng.standard_normal((40, 1))
    return (x.T @ x / 40).astype(np.float32)


def cost(z, gram, codebook, index) -> np.ndarray:
    error = z - codebook[index]
    return (error * (gram @ error)).sum(axis=0)


def test_feedback_and_descent_come_near_the_best_indices_there_are() -> None:
    """Of 4**5 choices for each output channel, at most 30 % above the best, in the mean."""
    rng = np.random.default_rng(0)
    z, gram = rng.standard_normal((5, 30)).astype(np.float32), gram_of(5, 1)
    index = error_feedback(z, gram, BOOK)
    greedy = cost(z, gram, BOOK, index).mean()
    while descend(z, gram, BOOK, index):
        pass
    found = cost(z, gram, BOOK, index)
    choices = np.array(list(itertools.product(range(4), repeat=5))).T
    best = np.min([cost(z, gram, BOOK, np.tile(c[:, None], 30)) for c in choices.T], axis=0)
    nearest = np.abs(z[..., None] - BOOK).argmin(axis=2)
    assert best.mean() <= found.mean() <= 1.3 * best.mean()
    assert found.mean() < greedy < cost(z, gram, BOOK, nearest).mean() / 2


def test_descent_never_makes_it_worse_and_counts_its_changes() -> None:
    rng = np.random.default_rng(2)
    z, gram = rng.standard_normal((150, 7)).astype(np.float32), gram_of(150, 3)
    index = rng.integers(0, 4, z.shape).astype(np.uint8)
    now = cost(z, gram, BOOK, index)
    for _ in range(4):
        before = index.copy()
        changed = descend(z, gram, BOOK, index)
        after = cost(z, gram, BOOK, index)
        assert (after <= now * (1 + 1e-4)).all()
        assert changed == np.count_nonzero(before != index)
        now = after


def test_independent_inputs_leave_nothing_to_feed_back() -> None:
    z = np.random.default_rng(4).standard_normal((70, 9)).astype(np.float32)
    gram = np.diag(np.arange(1, 71)).astype(np.float32)
    nearest = np.abs(z[..., None] - BOOK).argmin(axis=2)
    index = error_feedback(z, gram, BOOK)
    np.testing.assert_array_equal(index, nearest)
    assert descend(z, gram, BOOK, index) == 0


@pytest.mark.parametrize("symmetric", [False, True])
def test_refits_find_the_scales_and_centroids_that_made_the_weights(symmetric: bool) -> None:
    rng = np.random.default_rng(5)
    true = np.array([-2.0, -0.5, 0.5, 2.0] if symmetric else [-2.0, -0.7, 0.1, 1.0], np.float32)
    index = rng.integers(0, 4, (60, 8)).astype(np.uint8)
    gram, worth = gram_of(60, 6), rng.uniform(0.1, 1, 8).astype(np.float32)
    gram += np.eye(60, dtype=np.float32)
    np.testing.assert_allclose(
        better_scales(3 * true[index], gram, true, index), np.full(8, 3), rtol=1e-4
    )
    old = true * np.float32(1.2)
    found = better_codebook(true[index], gram, old, index, worth, symmetric=symmetric)
    np.testing.assert_allclose(found, true, atol=0.02)


def test_moments_are_centred_and_every_token_counts_alike() -> None:
    x = np.random.default_rng(7).standard_normal((500, 12)) + np.arange(12)
    for louder in (1, 1000):  # three tokens that would decide alone
        x[:3] *= louder
        fit = fit_activations(to_bits(x), 4, symmetric=False, k_top=1)
        seen = see(to_bits(x), fit, 1)
        found = input_moments(seen, fit.codebook)
        values = seen.values(fit.codebook) * seen.scale.value()[:, None]
        weights = 1 / (x**2).mean(axis=1)
        gram = np.cov(values.T, bias=True, aweights=weights)
        gram = gram / np.trace(gram) * 12 + 0.01 * np.eye(12)
        np.testing.assert_allclose(found.gram, gram, atol=2e-3)
        np.testing.assert_allclose(found.mean, np.average(values, 0, weights), rtol=1e-3)
        np.testing.assert_allclose(found.energy, (x**2).mean(axis=0), rtol=1e-3)


@pytest.fixture(scope="module")
def layers() -> list[LayerSource]:
    return list(model_layers(["encoder.layer.1.attention.self.value", LAYER], 64))


LAYER = "encoder.layer.3.output.dense"


@pytest.mark.parametrize("symmetric", [True, False])
def test_refined_errs_less_than_the_others_on_other_text(layers, symmetric: bool) -> None:
    """Engine's outputs against FP32's: pinned to what the recipe reaches, a little slack."""
    some = layers if symmetric else layers[:1]  # tables of large plain layers take their time
    for source, most in zip(some, (0.88, 0.89), strict=False):
        exact = source.x.view(np.float16).astype(np.float64) @ source.weight + source.bias
        errors = {}
        for recipe in ("refined", "weighted", "paper"):
            given = (source.weight, source.bias, source.calibration)
            layer = quantize_linear(*given, recipe=recipe, symmetric=symmetric)
            y = forward(layer, source.x).y.view(np.float16)
            errors[recipe] = np.sqrt(((y - exact) ** 2).mean())
        rounded = prepare_rtn(*given, bits_w=4, bits_a=4, seed=0, group=128)
        grouped = rounded(source.x.view(np.float16).astype(np.float32)) - exact
        assert errors["refined"] < most * errors["weighted"]
        assert errors["refined"] < 0.6 * np.sqrt((grouped**2).mean())
        assert errors["weighted"] < 1.02 * errors["paper"]


def test_the_bias_makes_good_the_means(layers) -> None:
    """On calibration text the engine's mean output is FP32's, and so is the reference's."""
    source = layers[0]
    layer = quantize_linear(source.weight, source.bias, source.calibration, symmetric=True)
    x = to_bits(source.calibration)
    result = forward(layer, x)
    real = x.view(np.float16).astype(np.float64)
    exact = real @ source.weight + source.bias
    for y in (result.y.view(np.float16), reference(layer, x, result)):
        off = ((y - exact) / np.sqrt((real**2).mean(axis=1))[:, None] ** 2).mean(axis=0)
        spread = ((y - exact) / np.sqrt((real**2).mean(axis=1))[:, None] ** 2).std(axis=0)
        assert np.abs(off).mean() < 0.03 * spread.mean()


def test_an_unknown_recipe_is_refused() -> None:
    x = np.ones((3, 4))
    with pytest.raises(InputError, match="no recipe 'refind'; near are refined"):
        quantize_linear(np.eye(4), np.zeros(4), x, recipe="refind")


def test_no_engine_has_grids_for_codebooks() -> None:
    with pytest.raises(InputError, match="the recipe uniform is for comparison"):
        quantize_linear(np.eye(4), np.zeros(4), np.ones((3, 4)), recipe="uniform")


def test_the_uniform_grid_of_least_error() -> None:
    """Multiples of a step are met exactly, wherever zero stands; a bell takes Max's step (1960)."""
    for zero in (0, 3, 8, 15):
        ints = (np.repeat(np.arange(16.0), 50) - zero) * 0.37
        found = fit_grid(ints, 4, symmetric=True)
        np.testing.assert_allclose(found, (np.arange(16) - zero) * 0.37, rtol=0.02)
    bell = np.random.default_rng(8).standard_normal(100_000)
    assert np.diff(fit_grid(bell, 4, symmetric=False))[0] == pytest.approx(0.3352, rel=0.03)
    assert fit_grid(np.zeros(3), 4, symmetric=False).tolist().count(0) == 1


def test_what_is_the_same_in_all_tokens_costs_nothing_with_the_bias_right() -> None:
    """Both tokens meet each pair as often: the bias makes any error in the table good."""
    a = np.array([[0, 1, 2, 3], [0, 1, 2, 3]])
    w = np.random.default_rng(9).integers(0, 4, (4, 6))
    rest = {"levels": (4, 4), "outlier_values": np.zeros((2, 4)), "symmetric": False}
    bare, centred = (
        pair_moments(a, w, np.ones((2, 6)), **rest, centred=c).table for c in (False, True)
    )
    assert np.trace(bare) == pytest.approx(4, rel=1e-4)  # four pairs, each once
    assert np.abs(centred).max() < 1e-6
    turned = pair_moments(
        a[:, ::-1] * np.array([[1], [0]]), w, np.ones((2, 6)), **rest, centred=True
    )
    assert np.trace(turned.table) > 1
