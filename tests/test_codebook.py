"""Codebooks: optimal by brute force, weights, symmetry, too few values, crowds."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.base.errors import InputError
from golden.exact.codebook import CROWD, fit_codebook, nearest, require_index_bits, to_grid


def best_error(values: np.ndarray, weights: np.ndarray, clusters: int) -> float:
    """Try every way to cut the sorted values; return the least weighted squared error."""
    order = np.argsort(values)
    v, w = values[order], weights[order]
    least = np.inf
    for cuts in combinations(range(1, len(v)), clusters - 1):
        parts = zip(np.split(v, cuts), np.split(w, cuts), strict=True)
        error = sum((b * (a - np.average(a, weights=b)) ** 2).sum() for a, b in parts)
        least = min(least, float(error))
    return least


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_no_other_clusters_have_less_error(seed: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    values = rng.standard_t(3, 11)
    weights = rng.uniform(0.1, 5, 11) if weighted else np.ones(11)
    codebook = fit_codebook(values, 2, symmetric=False, weights=weights)
    assert (np.diff(codebook) > 0).all()
    error = (weights * (values - codebook[nearest(values, codebook)]) ** 2).sum()
    assert error == pytest.approx(best_error(values, weights, 4), rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_no_other_symmetric_codebook_has_less_error(seed: int) -> None:
    """Symmetric: the best four clusters of the magnitudes, each with its sign."""
    rng = np.random.default_rng(seed)
    values, weights = rng.standard_t(3, 11), rng.uniform(0.1, 5, 11)
    codebook = fit_codebook(values, 3, symmetric=True, weights=weights)
    np.testing.assert_array_equal(codebook, -codebook[::-1])
    error = (weights * (values - codebook[nearest(values, codebook)]) ** 2).sum()
    assert error == pytest.approx(best_error(np.abs(values), weights, 4), rel=1e-9)


INTEGERS = st.lists(st.integers(-40, 40), min_size=1, max_size=14)


@given(INTEGERS, st.booleans(), st.data())
def test_a_weight_is_a_number_of_copies(
    values: list[int], symmetric: bool, data: st.DataObject
) -> None:
    copies = np.array([data.draw(st.integers(1, 4)) for _ in values])
    found = fit_codebook(np.array(values, float), 2, symmetric=symmetric, weights=copies)
    repeated = np.repeat(np.array(values, float), copies)
    expected = fit_codebook(repeated[::-1], 2, symmetric=symmetric)
    errors = [((repeated - c[nearest(repeated, c)]) ** 2).sum() for c in (found, expected)]
    assert errors[0] == pytest.approx(errors[1], abs=1e-9)  # clusters of equal error may differ


@given(INTEGERS, st.lists(st.integers(-30, 30), min_size=4, max_size=16))
def test_nearest_is_the_upper_of_equally_near(values: list[int], centroids: list[int]) -> None:
    """By trying all. Where a centroid is repeated, each of its indices is right."""
    centroids = sorted(centroids)
    found = nearest(np.array(values, float), np.array(centroids, float))
    for value, index in zip(values, found, strict=True):
        distances = [abs(value - c) for c in centroids]
        upper = max(c for c, d in zip(centroids, distances, strict=True) if d == min(distances))
        assert centroids[index] == upper


def test_symmetric_codebook_clusters_magnitudes() -> None:
    """By hand: magnitudes 1, 1, 3 and 9, 11 have the centroids 5/3 and 10."""
    codebook = fit_codebook(np.array([1.0, -1, 3, -9, 11]), 2, symmetric=True)
    np.testing.assert_allclose(codebook, [-10, -5 / 3, 5 / 3, 10])


def test_weight_draws_the_centroid() -> None:
    """By hand: 0 and 1 with weights 1 and 3 have the mean 3/4."""
    values, weights = np.array([0.0, 1, 50, 60, 70]), np.array([1.0, 3, 1, 1, 1])
    assert fit_codebook(values, 2, symmetric=False, weights=weights)[0] == pytest.approx(0.75)


def test_fewer_values_than_centroids_repeat_the_largest() -> None:
    np.testing.assert_array_equal(
        fit_codebook(np.array([5.0, -1, 5]), 2, symmetric=False), [-1, 5, 5, 5]
    )
    np.testing.assert_array_equal(fit_codebook(np.array([3.0]), 2, symmetric=True), [-3, -3, 3, 3])


def test_a_crowd_is_clustered_with_all_its_values() -> None:
    """Gathering may cost next to nothing against clustering every value."""
    values = np.random.default_rng(5).standard_t(4, CROWD + 3000)
    codebook = fit_codebook(values, 4, symmetric=False)
    small = fit_codebook(values[:CROWD], 4, symmetric=False)
    errors = [((values - book[nearest(values, book)]) ** 2).mean() for book in (codebook, small)]
    assert errors[0] < errors[1]  # the other has not seen the last values
    # Lloyd's step from the optimum: no centroid moves.
    index = nearest(values, codebook)
    means = np.bincount(index, values) / np.bincount(index)
    np.testing.assert_allclose(means, codebook, atol=2e-3 * np.abs(codebook).max())


@pytest.mark.parametrize("symmetric", [False, True])
def test_a_crowd_of_few_values_keeps_them(symmetric: bool) -> None:
    """By hand: 0.3 and 900 with any weights are centroids; zeros of both signs are one value."""
    values = np.tile([0.0, -0.0, 0.3, 900], CROWD // 3)
    weights = np.tile([1.0, 2, 3, 4], CROWD // 3)
    codebook = fit_codebook(values, 3, symmetric=symmetric, weights=weights)
    expected = [-900, -900, -0.3, 0, 0, 0.3, 900, 900] if symmetric else [0, 0.3] + [900] * 6
    np.testing.assert_allclose(codebook, expected, rtol=1e-12)


def test_a_crowd_is_weighed() -> None:
    """By hand: 3.0001 and 3.0003 are one FP16 number; weighed 1 to 3, their mean is 3.00025."""
    values = np.tile([3.0001, 3.0003, 60, 70, 80], CROWD)
    weights = np.tile([1.0, 3, 1, 1, 1], CROWD)
    codebook = fit_codebook(values, 2, symmetric=False, weights=weights)
    np.testing.assert_allclose(codebook, [3.00025, 60, 70, 80], rtol=1e-9)


def test_a_crowd_of_zeros_has_a_codebook_of_zeros() -> None:
    assert not fit_codebook(np.zeros(CROWD + 1), 4, symmetric=False).any()


def test_a_value_in_the_middle_goes_up() -> None:
    assert nearest(np.array([0.5, 0.49999, 1.5]), np.array([0.0, 1, 2])).tolist() == [1, 0, 2]


def test_grid_rounds_and_cuts_off() -> None:
    assert to_grid(np.array([-100.0, -0.26, 0.26, 100]), 10).tolist() == [-32767, -266, 266, 32767]


@pytest.mark.parametrize("bits", [1, 5, 0, -2, 4.0, True, "4"])
def test_bits_out_of_range_are_refused(bits: object) -> None:
    with pytest.raises(InputError, match="--bits-w must be 2, 3 or 4"):
        require_index_bits("--bits-w", bits)
