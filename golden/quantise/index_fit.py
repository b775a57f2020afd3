"""Constants of nonlinear operations on indices, fitted to what a model gives them."""

import itertools

import ckwrap
import numpy as np
import numpy.typing as npt

from golden.exact.codebook import FloatArray, fit_codebook, gather, nearest
from golden.exact.fp16 import INFINITY, BitArray, key, to_bits
from golden.exact.index_maps import CodebookMap
from golden.exact.index_softmax import (
    DISTANCE_MAX,
    ONE,
    SCORE_FRACTION_BITS,
    SoftmaxCodes,
    distances,
)
from golden.exact.index_statistics import INDEX_BITS, INDICES
from golden.exact.spec import IntArray

# Numbers from which on functions may be the numbers themselves.
PASSES = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0)
VALUE_DIGITS = 7  # of a map's value
# Least distances of indices 13 ... 0, in units of 1/16: fitted to all layers of the language model
# and MiniLM together. The last is far enough for 4096 scores to weigh less than 2**-10 of the
# largest.
THRESHOLDS = (4, 8, 12, 16, 21, 26, 31, 37, 44, 52, 62, 76, 96, 255)


class DistanceCounts:
    """How much the scores at each distance from the largest weigh, over many rows.

    A score weighs the square of what its row's sum divides by, as its error does.
    """

    def __init__(self) -> None:
        self.weights = np.zeros(DISTANCE_MAX + 1)

    def add(self, scores: BitArray) -> None:
        """Add rows (T, S) of FP16 scores, masked ones -infinity."""
        far, there = distances(scores)
        powers = np.exp(-far / (1 << SCORE_FRACTION_BITS)) * there
        total = np.maximum(powers.sum(axis=1, keepdims=True), 1e-9)
        weights = (there / total**2).ravel()
        self.weights += np.bincount(far.ravel(), weights, minlength=DISTANCE_MAX + 1)


def middle_powers() -> FloatArray:
    """Return exp of the middle of each distance, which is cut to a multiple of 1/16."""
    return np.exp(-np.arange(DISTANCE_MAX + 1) / (1 << SCORE_FRACTION_BITS))


def fit_thresholds(weights: FloatArray) -> tuple[int, ...]:
    """Return the thresholds of least squared error of powers, weights (256,) at each distance.

    Distances from 1 to 254 are fourteen clusters; what is at 255 or more is zero.
    """
    places = np.arange(1, DISTANCE_MAX)
    counts = weights[1:DISTANCE_MAX] + 1e-12 * weights.sum()
    labels = ckwrap.ckmeans(middle_powers()[1:DISTANCE_MAX][::-1], INDICES - 2, counts[::-1])
    steps = np.flatnonzero(np.diff(labels.labels[::-1]))
    return (*(int(n) for n in places[steps + 1]), DISTANCE_MAX)


def fit_softmax(weights: FloatArray, thresholds: tuple[int, ...] = THRESHOLDS) -> SoftmaxCodes:
    """Return the codes whose powers are means over clusters, weights (256,) at each distance."""
    edges = (1, *thresholds)
    powers, weights = middle_powers(), weights + 1e-12 * weights.sum() + 1e-30
    means = [
        (weights[a:b] @ powers[a:b]) / weights[a:b].sum() for a, b in itertools.pairwise(edges)
    ]
    found = np.rint(np.array([0, *means[::-1], 1]) * ONE).astype(np.int64)
    return SoftmaxCodes(thresholds, found)


def fit_map(
    x: npt.NDArray[np.floating],
    values: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating],
    *,
    passes: bool = False,
    index_bits: int = INDEX_BITS,
) -> CodebookMap:
    """Return the map of a function whose values (n,) at ``x`` have the least squared error.

    Parameters
    ----------
    x : (n,) float
        Up to 2**14 numbers.
    values, weights : (n,) float
        The function of each, and how much its error counts.
    passes : bool
        Whether the largest numbers are to be their own values: from one of :data:`PASSES` on.
    index_bits : int
        4 to 6.
    """
    bits = to_bits(x)
    order = np.argsort(key(bits), kind="stable")
    bits = bits[order]
    values, weights = (part[order].astype(np.float64) for part in (values, weights))
    if not passes:
        return _fit_below(bits, values, weights, len(x), index_bits, passes=False)
    ends = np.searchsorted(bits.view(np.float16).astype(np.float64), PASSES)
    maps = [
        _fit_below(bits, values, weights, int(end), index_bits, passes=True) for end in ends if end
    ]

    def error(one: CodebookMap) -> float:
        return float(weights @ (one(bits).view(np.float16) - values) ** 2)

    return min(maps, key=error)


def _fit_below(
    bits: BitArray,
    values: FloatArray,
    weights: FloatArray,
    end: int,
    index_bits: int,
    *,
    passes: bool,
) -> CodebookMap:
    """Return the map of the numbers before ``end``, in order; others pass.

    Values are clustered along the function's way up and down, so that what lies on either side of
    an extremum is not one cluster.
    """
    count = 1 << index_bits
    wanted = count - passes
    keys = key(bits)
    values, weights = values[:end], weights[:end] + 1e-9 * weights.max()
    way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(values)))])
    places, counts = gather(way, weights)
    labels = ckwrap.ckmeans(places, min(wanted, len(places)), counts).labels
    bounds = keys[np.searchsorted(way, places[1:][np.diff(labels) > 0])]
    beyond = np.full(count - 1 - len(bounds), keys[end] if end < len(keys) else INFINITY)
    bounds = np.concatenate([bounds, beyond])
    index = np.searchsorted(bounds, keys[:end], side="right")
    sums, weigh = (np.bincount(index, w, count) for w in (values * weights, weights))
    means = sums / np.where(weigh, weigh, 1)
    return CodebookMap(bounds, short(means), passes)


def short(values: npt.NDArray[np.floating]) -> BitArray:
    """Return values in FP16 with 7 significant bits, which 12 wires tell."""
    mantissa, exponent = np.frexp(values)
    return to_bits(np.ldexp(np.rint(np.ldexp(mantissa, VALUE_DIGITS)), exponent - VALUE_DIGITS))


def fit_pairs(
    counts: npt.NDArray[np.floating],
    a: npt.NDArray[np.number],
    b: npt.NDArray[np.number],
) -> tuple[IntArray, FloatArray]:
    """Return a table of the products of two codebooks, clustered again, and the new codebook.

    Parameters
    ----------
    counts : (16, 16) float
        How often each pair of indices occurs; a pair that does not counts a little.
    a, b : (16,) float
        Centroids.

    Returns
    -------
    table : (16, 16) int64
        Index of each pair's product.
    centroids : (16,) float64
        What those stand for, ascending.
    """
    products = np.outer(a.astype(np.float64), b.astype(np.float64))
    weights = counts.ravel() + 1e-6 * counts.sum() + 1e-30
    centroids = fit_codebook(products.ravel(), INDEX_BITS, symmetric=False, weights=weights)
    return nearest(products, centroids), centroids
