"""Nonlinear operations on indices: numbers worked by hand, and float64."""

import math

import numpy as np
import pytest

from golden.exact.codebook import from_grid
from golden.exact.fp16 import to_bits
from golden.exact.index_maps import CodebookMap, table_of_two
from golden.exact.index_softmax import (
    ONE,
    SoftmaxCodes,
    distances,
    probabilities,
    score_units,
    softmax_indices,
)
from golden.exact.index_statistics import (
    histogram,
    largest_index,
    square_constants,
    square_sum_by_counts,
    sum_by_counts,
)
from golden.exact.spec import IntArray
from golden.exact.token_scale import Scale
from golden.quantise.index_fit import (
    THRESHOLDS,
    DistanceCounts,
    fit_map,
    fit_pairs,
    fit_softmax,
    fit_thresholds,
)

# Each index stands for exp of its least distance, but for 0.
POWERS = np.array([0, *(round(ONE * math.exp(-t / 16)) for t in (1, *THRESHOLDS[:-1]))][:15])
CODES = SoftmaxCodes(THRESHOLDS, np.array([0, *np.sort(POWERS[1:]), ONE]))
LENGTHS = (1, 2, 17, 255, 4096)
LOWEST = -np.inf


def bits(*values: float) -> np.ndarray:
    return to_bits(np.array([values]))


def test_counts_by_hand() -> None:
    indices = np.array([[3, 3, 15, 0], [7, 7, 7, 7], [1, 2, 3, 4]])
    used = np.array([[True, True, True, False], [False] * 4, [True] * 4])
    counts = histogram(indices, used)
    assert counts[0, 3] == 2
    assert counts[0, 15] == 1
    assert counts.sum(axis=1).tolist() == [3, 0, 4]
    assert largest_index(counts).tolist() == [15, 0, 4]
    assert sum_by_counts(counts, np.arange(16) ** 2).tolist() == [2 * 9 + 225, 0, 30]
    with pytest.raises(ValueError, match="indices must be from 0 to 15"):
        histogram(np.array([[16]]))


@pytest.mark.parametrize("length", LENGTHS)
def test_sums_by_counts_are_those_of_elements(length: int, rng: np.random.Generator) -> None:
    indices, g = rng.integers(16, size=(3, length)), rng.integers(1 << 16, size=16)
    counts = histogram(indices)
    assert (sum_by_counts(counts, g) == g[indices].sum(axis=1)).all()
    assert (largest_index(counts) == indices.max(axis=1)).all()


def test_squares_have_sixteen_bits() -> None:
    # 2**-10 squared is a unit of 2**-20; 2**15 - 1 squared loses 14 bits, and would round to 2**16.
    small = square_constants(np.arange(16))
    assert (small.fraction_bits, small.values[3]) == (20, 9)
    large = square_constants(np.array([*range(15), (1 << 15) - 1]))
    assert (large.fraction_bits, large.values[15]) == (6, round((2**15 - 1) ** 2 / 2**14))
    edge = square_constants(np.array([*range(15), 256]))
    assert (edge.fraction_bits, edge.values[15], edge.values[14]) == (19, 1 << 15, 98)


@pytest.mark.parametrize("length", LENGTHS)
def test_square_sum_is_near_that_of_float64(length: int, rng: np.random.Generator) -> None:
    centroids = np.sort(rng.integers(-3000, 3000, size=16))
    indices, used = rng.integers(16, size=(4, length)), rng.random((4, length)) < 0.9
    scale = Scale(rng.integers(1024, 2048, size=4), rng.integers(-20, -8, size=4))
    outliers = to_bits(rng.normal(size=(4, 3)) * 8)
    constants = square_constants(centroids)
    counts = histogram(indices, used)
    got = square_sum_by_counts(counts, constants, scale, outliers, start=5).integers()
    real = from_grid(centroids, 10)[indices]
    exact = scale.value() ** 2 * (real**2 * used).sum(axis=1)
    exact += (outliers.view(np.float16).astype(float) ** 2).sum(axis=1) + 5 * 2.0**-30
    half = scale.value() ** 2 * 2.0 ** -(constants.fraction_bits + 1) * used.sum(axis=1)
    off = got.astype(float) * 2.0**-30 - exact
    assert (off <= half + exact * 2.0**-50).all()
    assert (off >= -half - 4 * 2.0**-30 - exact * 2.0**-50).all()


def test_square_sum_by_hand() -> None:
    # 3 times (1.5 scales)**2 at a scale of 2, and an outlier of 4: 27 + 16.
    centroids = np.array([0] * 15 + [1536])
    counts = np.array([[0] * 15 + [3]])
    scale = Scale(np.array([1024]), np.array([-9]))
    total = square_sum_by_counts(counts, square_constants(centroids), scale, bits(4.0))
    assert total.integers()[0] == 43 << 30


def test_scores_are_cut_to_sixteenths() -> None:
    values = bits(1.0, 1.06, 1.07, 0.01, -0.01, -1.0, -1.01, 512, 600, 65504, -600, 511.5)[0]
    units, there = score_units(values)
    assert there.all()
    assert units.tolist() == [16, 16, 17, 0, -1, -17, -17, 8191, 8191, 8191, -8191, 8184]
    units, there = score_units(bits(np.inf, -np.inf, np.nan)[0])
    assert there.tolist() == [True, False, False]
    assert units[0] == 8191


def test_indices_by_hand() -> None:
    # Negative scores on a multiple of 1/16 are one unit further down.
    scores = bits(2, 2 - 1 / 16, 2 - 4 / 16, 2 - 253 / 16, 2 - 254 / 16, LOWEST)
    row = softmax_indices(scores, CODES)
    assert row.indices.tolist() == [[15, 14, 13, 1, 0, 0]]
    assert row.counts[0, [0, 1, 13, 14, 15]].tolist() == [1, 1, 1, 1, 1]
    assert row.total[0] == CODES.powers[[15, 14, 13, 1]].sum()


@pytest.mark.parametrize("length", LENGTHS)
def test_special_rows(length: int) -> None:
    equal = softmax_indices(np.full((1, length), to_bits(np.array(3.3))), CODES)
    assert (equal.indices == 15).all()
    assert equal.total[0] == length * ONE
    assert probabilities(equal, CODES) == pytest.approx(1 / length)
    masked = softmax_indices(np.full((1, length), to_bits(np.array(LOWEST))), CODES)
    assert not masked.indices.any()
    assert not masked.total.any()
    assert not masked.counts.any()
    assert not probabilities(masked, CODES).any()
    scores = np.full((1, length), -20.0)
    scores[0, -1] = 20
    dominant = softmax_indices(to_bits(scores), CODES)
    assert dominant.indices[0, -1] == 15
    assert not dominant.indices[0, :-1].any()
    assert dominant.total[0] == ONE
    overflow = softmax_indices(
        to_bits(np.where(np.arange(length) % 2, 60000.0, np.inf))[None], CODES
    )
    assert (overflow.indices == 15).all()


@pytest.mark.parametrize("length", LENGTHS)
def test_probabilities_are_near_those_of_float64(length: int, rng: np.random.Generator) -> None:
    """Fitted to scores like these, their mean error is small; no error exceeds a cluster's."""
    scores = rng.normal(size=(64, length)) * 2
    fit = DistanceCounts()
    fit.add(to_bits(scores))
    codes = fit_softmax(fit.weights)
    got = probabilities(softmax_indices(to_bits(scores), codes), codes)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    exact = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(got.sum(axis=1), 1, atol=1e-9)
    # No cluster but the last is more than 20 sixteenths wide; it lies below exp(-6).
    most = np.maximum(exact, math.exp(-6) / powers.sum(axis=1, keepdims=True))
    assert (np.abs(got - exact) <= 1.3 * most).all()
    # Over 40 seeds it is 0.102 for 4 096 scores, with a standard deviation of 0.016.
    assert np.sqrt(((got - exact) ** 2).sum() / (exact**2).sum()) < (0.2 if length > 255 else 0.1)


def test_distances_end_at_255() -> None:
    far, there = distances(bits(500, -500, LOWEST))
    assert far.tolist() == [[0, 255, 255]]
    assert there.tolist() == [[True, True, False]]


def test_codes_are_checked() -> None:
    with pytest.raises(ValueError, match="thresholds must be from 2 to 255"):
        SoftmaxCodes((1, *THRESHOLDS[1:]), CODES.powers)
    with pytest.raises(ValueError, match="14 thresholds, ascending"):
        SoftmaxCodes((*THRESHOLDS[:13], THRESHOLDS[0]), CODES.powers)
    with pytest.raises(ValueError, match="powers must be from 0 to 32768"):
        SoftmaxCodes(THRESHOLDS, np.minimum(CODES.powers, ONE - 1))
    with pytest.raises(ValueError, match="powers must be 16, ascending"):
        SoftmaxCodes(THRESHOLDS, CODES.powers[::-1])


def test_thresholds_fit_what_there_is() -> None:
    """Fourteen clusters of equal distances each are found, wherever they lie."""
    weights = np.zeros(256)
    places = np.arange(14) * 8 + 4
    weights[places] = 1
    found = fit_thresholds(weights)
    assert all(a < t <= b for a, t, b in zip(places, found, [*places[1:], 255], strict=True))
    powers = fit_softmax(weights, found).powers
    np.testing.assert_allclose(powers[1:15][::-1], ONE * np.exp(-places / 16), atol=0.51)


def test_a_map_by_hand() -> None:
    bounds: IntArray = np.array([0] * 14 + [0x3C00])
    values = to_bits(np.array([-1.0] * 14 + [2.0, 3.0]))
    found = CodebookMap(bounds, values)(bits(-5, -0.0, 0.5, 1.0, np.inf, np.nan))
    assert found.view(np.float16).tolist() == [[-1, 2, 2, 3, 2, 2]]
    with pytest.raises(ValueError, match="bounds must be 15 keys, ascending"):
        CodebookMap(bounds[::-1], values)
    with pytest.raises(ValueError, match=r"finite FP16 patterns, as many as one of \(16, 32, 64\)"):
        CodebookMap(bounds, np.full(16, 0x7C00, np.uint16))


def test_a_map_of_few_values_is_exact() -> None:
    x = np.repeat(np.arange(-8, 8) / 2, 5)
    fitted = fit_map(x, x**2, np.ones(len(x)))
    assert (fitted(to_bits(x)).view(np.float16) == x**2).all()
    assert (fit_map(x[:5], x[:5], np.ones(5))(to_bits(x[:5])).view(np.float16) == x[:5]).all()


def test_weights_draw_clusters() -> None:
    """What weighs more is nearer to its index's value."""
    x = np.linspace(0, 1, 4000)
    error = [
        np.abs(fit_map(x, x, w)(to_bits(x)).view(np.float16).astype(float) - x)[:1000].mean()
        for w in (np.ones(4000), np.where(x < 0.25, 100.0, 1.0))
    ]
    assert error[1] < error[0] / 1.5


def test_products_of_two_indices(rng: np.random.Generator) -> None:
    """Every product of centroids that the codebook has is exact; 0 by anything is 0."""
    a, b = np.array([0, *[1] * 15]), np.array([*range(16)])
    table, centroids = fit_pairs(np.ones((16, 16)), a, b)
    i, j = rng.integers(16, size=(2, 50))
    assert (centroids[table_of_two(table, i, j)] == a[i] * b[j]).all()
    with pytest.raises(ValueError, match="the table must be 16 x 16"):
        table_of_two(table[1:], i, j)


def test_products_are_clustered_by_how_often_they_occur() -> None:
    a = b = np.arange(16) - 7.5
    counts = np.zeros((16, 16))
    counts[3, 4], counts[5, 9] = 1000, 500
    table, centroids = fit_pairs(counts, a, b)
    assert centroids[table[3, 4]] == pytest.approx(a[3] * b[4])
    assert centroids[table[5, 9]] == pytest.approx(a[5] * b[9])
    error = np.abs(centroids[table] - np.outer(a, b))
    assert error.max() < 30
