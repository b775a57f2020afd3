"""Scales and codebook of a weight matrix: what must come out exactly, and what must be better."""

import numpy as np
import pytest

from golden.base.errors import InputError
from golden.exact.codebook import fit_codebook, nearest
from golden.quantise.weight_fit import fit_weights

EVEN = np.ones(64)


def heavy(seed: int, inputs: int = 64, outputs: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).standard_t(4, (inputs, outputs)) * 0.05


def rounded(w: np.ndarray, scale: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    """Return the real weights that the indices stand for."""
    return scale * codebook[nearest(w / scale, codebook)]


def cost(w: np.ndarray, energy: np.ndarray, scale: np.ndarray, codebook: np.ndarray) -> float:
    return float((energy @ (w - rounded(w, scale, codebook)) ** 2).sum())


@pytest.mark.parametrize(
    ("values", "symmetric"), [([-5, -1, 2, 7], False), ([-6, -1, 1, 6], True), ([3], False)]
)
def test_as_many_values_as_centroids_lose_nothing(values: list[int], symmetric: bool) -> None:
    w = np.resize(np.array(values, float), (64, 1))
    scale, codebook = fit_weights(w, EVEN, 2, symmetric=symmetric)
    np.testing.assert_allclose(rounded(w, scale, codebook), w, rtol=1e-12)
    assert (np.diff(codebook) >= 0).all()


def test_inputs_of_no_energy_have_no_say() -> None:
    """The loud inputs have four values, so they keep them, whatever the silent ones have."""
    w = np.resize([-5.0, -1, 2, 7], (64, 1))
    w[32:] = np.random.default_rng(0).uniform(-9, 9, (32, 1))
    scale, codebook = fit_weights(w, np.repeat([1.0, 0], 32), 2, symmetric=False)
    np.testing.assert_allclose(rounded(w, scale, codebook)[:32], w[:32], rtol=1e-6)


def test_a_large_channel_has_more_say() -> None:
    """An error in it makes outputs wrong by more: its four values stay, the small channel bends."""
    large = np.resize([-5.0, -1, 2, 7], 64) * 1e4
    w = np.stack([large, np.random.default_rng(5).normal(size=64)], axis=1)
    found = rounded(w, *fit_weights(w, EVEN, 2, symmetric=False))
    np.testing.assert_allclose(found[:, 0], large, rtol=1e-6)


def test_silence_everywhere_is_as_good_as_equal_energy() -> None:
    w = heavy(1)
    silent, even = (fit_weights(w, e, 3, symmetric=True) for e in (0 * EVEN, EVEN))
    for a, b in zip(silent, even, strict=True):
        np.testing.assert_allclose(a, b)


def test_channels_of_zeros_take_no_part() -> None:
    w = heavy(2)
    scale, codebook = fit_weights(w, EVEN, 4, symmetric=False)
    more, same = fit_weights(np.insert(w, 3, 0, axis=1), EVEN, 4, symmetric=False)
    np.testing.assert_array_equal(more, np.insert(scale, 3, 0))
    np.testing.assert_array_equal(same, codebook)
    nothing, zeros = fit_weights(0 * w, EVEN, 4, symmetric=False)
    assert nothing.tolist() == [0] * 6
    assert zeros.tolist() == [0] * 16


@pytest.mark.parametrize("power", [-900, -1, 900])
def test_the_unit_of_the_weights_does_not_matter(power: int) -> None:
    """Squares of the largest and of the smallest would leave the range of float64."""
    w = heavy(3)
    scale, codebook = fit_weights(w, EVEN, 4, symmetric=True)
    scaled, same = fit_weights(np.ldexp(w, power), EVEN, 4, symmetric=True)
    np.testing.assert_array_equal(scaled, np.ldexp(scale, power))
    np.testing.assert_array_equal(same, codebook)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("bits", [2, 3, 4])
def test_better_than_root_mean_squares_and_equal_weights(bits: int, symmetric: bool) -> None:
    """Against the plain recipe, in the error of outputs, with inputs of unlike energy."""
    for seed in range(3):
        w, energy = heavy(seed), np.random.default_rng(seed).lognormal(0, 2, 64)
        plain = np.sqrt((w**2).mean(axis=0))
        book = fit_codebook((w / plain).ravel(), bits, symmetric=symmetric)
        found = fit_weights(w, energy, bits, symmetric=symmetric)
        assert cost(w, energy, *found) < 0.85 * cost(w, energy, plain, book)


def test_a_huge_weight_takes_a_larger_scale_and_not_a_centroid() -> None:
    """One weight of 40 RMS in one channel of 64: the codebook stays as without it."""
    w = np.random.default_rng(4).normal(size=(256, 64))
    scale, codebook = fit_weights(w, np.ones(256), 4, symmetric=True)
    w[7, 5] = 40
    larger, same = fit_weights(w, np.ones(256), 4, symmetric=True)
    others = np.arange(64) != 5
    assert larger[5] > 10 * scale[5]
    assert np.abs(larger / scale - 1)[others].max() < 0.3
    assert same[-1] < 1.2 * codebook[-1]


def test_scales_follow_their_channels() -> None:
    w, order = heavy(6) * [1, 2, 5, 10, 100, 1000], np.random.default_rng(6).permutation(6)
    scale, codebook = fit_weights(w, EVEN, 4, symmetric=False)
    moved, same = fit_weights(w[:, order], EVEN, 4, symmetric=False)
    np.testing.assert_allclose(moved, scale[order], rtol=1e-9)
    np.testing.assert_allclose(same, codebook, rtol=1e-9)
    # The error of a channel is a part of its own size: none is lost.
    error = np.sqrt(((w - rounded(w, scale, codebook)) ** 2).mean(axis=0) / (w**2).mean(axis=0))
    assert error.max() < 0.35


def test_bits_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="weight_bits must be 2, 3 or 4"):
        fit_weights(heavy(0), EVEN, 5, symmetric=False)
