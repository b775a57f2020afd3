"""Product tables: rounding for the sum's error, moments of index pairs, the codebooks' freedom."""

from itertools import product

import numpy as np
import pytest

from golden.exact.spec import NumberSpec
from golden.quantise.pair_moments import PairMoments, one_hot, pair_moments
from golden.quantise.product_table import (
    ENOUGH,
    FURTHEST,
    Table,
    _Candidate,
    product_table,
    round_together,
)


@pytest.mark.parametrize("seed", range(5))
def test_rounding_together_beats_rounding_apart(seed: int) -> None:
    """Against every choice of neighbours: never worse than the nearest, hardly worse than best."""
    rng = np.random.default_rng(seed)
    exact = rng.uniform(-9, 9, 7)
    root = rng.normal(size=(7, 3))
    moments = root @ root.T + 0.01 * np.eye(7)
    rounded, error = round_together(exact, moments, 15)
    assert error == pytest.approx((rounded - exact) @ moments @ (rounded - exact))
    apart = np.rint(exact) - exact
    assert error <= apart @ moments @ apart + 1e-12
    choices = (
        np.array(c) - exact for c in product(*((np.floor(e), np.floor(e) + 1) for e in exact))
    )
    assert error <= 2.5 * min(c @ moments @ c for c in choices) + 1e-12


def test_errors_of_one_sign_are_made_to_cancel() -> None:
    """Two entries of 0.4 that always occur together: one becomes 0 and one 1."""
    rounded, error = round_together(np.array([0.4, 0.4]), np.array([[1.0, 0.99], [0.99, 1]]), 3)
    assert sorted(rounded) == [0, 1]
    assert error < 0.1


def test_rounding_stays_within_the_limit() -> None:
    rounded, _ = round_together(np.array([9.0, -9.0]), np.eye(2), 4)
    assert rounded.tolist() == [4, -4]


def test_moments_are_those_of_counts() -> None:
    """By hand: one token, indices 0 0 1; weights 1 0 1: pairs (0,1) (0,0) (1,1) once each."""
    moments = pair_moments(
        np.array([[0, 0, 1]]),
        np.array([[1], [0], [1]]),
        np.ones((1, 1)),
        levels=(2, 2),
        outlier_values=np.zeros((1, 3)),
        symmetric=False,
    )
    counts = np.array([1.0, 1, 0, 1])
    np.testing.assert_allclose(moments.table, np.outer(counts, counts), atol=1e-5)


def test_an_outlier_leaves_the_codebook_s_counts_alone() -> None:
    moments = pair_moments(
        np.array([[0, 1]]),
        np.array([[0], [0]]),
        np.ones((1, 1)),
        levels=(2, 2),
        outlier_values=np.array([[0, 7.5]]),
        symmetric=False,
    )
    counts = np.array([1.0, 0, 0, 0, 7.5, 0])  # pairs of level 0, of level 1, then outliers
    np.testing.assert_allclose(moments.codebook, np.outer(counts, counts), atol=1e-3)


def test_symmetric_levels_carry_the_sign() -> None:
    assert one_hot(np.array([0, 1, 2, 3]), 4, symmetric=True).tolist() == [
        [0, -1, 1, 0],
        [-1, 0, 0, 1],
    ]


@pytest.mark.parametrize("symmetric", [False, True])
def test_codebooks_move_only_as_far_as_allowed(symmetric: bool) -> None:
    rng = np.random.default_rng(1)
    a, w = (np.sort(rng.normal(size=16)) for _ in range(2))
    if symmetric:
        a, w = ((book - book[::-1]) / 2 for book in (a, w))
    tokens, inputs, outputs = 30, 48, 40
    indices = rng.integers(0, 16, (tokens, inputs)), rng.integers(0, 16, (inputs, outputs))
    moments = pair_moments(
        *indices,
        np.ones((tokens, outputs)),
        levels=(16, 16),
        outlier_values=np.zeros((tokens, inputs)),
        symmetric=symmetric,
    )
    spec = NumberSpec(symmetric=symmetric, magnitude_bits=6)
    for quantisation in (1e-3, 1e-1, 10):
        table = product_table(spec, a, w, moments, quantisation=quantisation)
        real_a = table.a_centroids / 2**10
        real_w = table.w_centroids / 2**spec.w_fraction_bits / table.unit
        shift = real_a[indices[0]] @ real_w[indices[1]] - a[indices[0]] @ w[indices[1]]
        # Centroids on a grid are off by up to half a step, which no choice avoids.
        assert (shift**2).mean() < 1.05 * FURTHEST**2 * quantisation + 1e-4
        error = table.entries[indices[0][:, :, None], indices[1][None]].sum(axis=1) / table.unit
        rest = ((error - real_a[indices[0]] @ real_w[indices[1]]) ** 2).mean()
        if quantisation == 10:
            assert rest < ENOUGH**2 * quantisation


def test_codebooks_of_zeros_have_a_table_of_zeros() -> None:
    moments = pair_moments(
        np.zeros((1, 1), np.int64),
        np.zeros((1, 1), np.int64),
        np.ones((1, 1)),
        levels=(4, 4),
        outlier_values=np.zeros((1, 1)),
        symmetric=False,
    )
    spec = NumberSpec(symmetric=False, magnitude_bits=8)
    table = product_table(spec, np.zeros(4), np.arange(4.0), moments, quantisation=1.0)
    assert not table.entries.any()


def test_refits_that_move_products_beyond_two_entries_are_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = NumberSpec(symmetric=True, magnitude_bits=4)
    a = np.array([-2048, -512, 512, 2048])  # 2 and a half
    within, beyond = (np.array([-w, -1024, 1024, w]) for w in (16 << 10, (16 << 10) + 1))

    def refits(*_: object) -> list[_Candidate]:
        def candidate(w: np.ndarray, error: float) -> _Candidate:
            return _Candidate(Table(1.0, a, w, np.zeros((4, 4), np.int64)), 1, error, 0.0)

        return [candidate(within, 2.0), candidate(beyond, 1.0)]

    monkeypatch.setattr("golden.quantise.product_table._refits", refits)
    moments = PairMoments(np.eye(4), np.eye(6))
    table = product_table(spec, a / 1024, a / 1024, moments, quantisation=1.0)
    assert table.w_centroids.max() == 16 << 10  # 2 * 16 = 2 * (15 + 1), the most there may be
