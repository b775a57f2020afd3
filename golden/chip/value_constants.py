"""Mixes whose activations are the indices of softmax themselves: no product for any score.

The scales of values stand where they cost none: one that is known before, a power of two, one for
several tokens, a part of the score, or an index of their own.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from golden.chip.attention_rows import CODE_UNIT, MASKED, sums_of
from golden.chip.constants import SPEC
from golden.chip.value_scales import coded, codes_for, flat, inverse_of
from golden.exact.cache_codes import CacheFormat
from golden.exact.codebook import FloatArray, fit_codebook, nearest
from golden.exact.fp16 import BitArray, to_bits
from golden.exact.index_softmax import ONE, softmax_indices
from golden.exact.index_statistics import INDEX_BITS, INDICES
from golden.quantise.index_fit import fit_pairs
from golden.quantise.methods.grid import Floats
from golden.quantise.methods.layer import Array

TOKENS = 16  # that share a scale
SAMPLE = 1 << 18  # numbers that a codebook is fitted to
LEAST = 2.0**-14  # of scales


@dataclass(frozen=True)
class Table:
    """Rows of constants: entries (n, 8), and what one counts for."""

    entries: Array
    unit: float

    @classmethod
    def of(cls, values: FloatArray, magnitudes: Floats) -> "Table":
        """Return the products of values and magnitudes, rounded, the largest as large as fits."""
        unit = float(np.abs(values).max() * magnitudes.max() / SPEC.entry_max)
        return cls(np.rint(np.outer(values, magnitudes) / unit).astype(np.float32), unit)


class OtherScale(ABC):
    """Values have codes on scales other than the chip's, and a codebook that is fitted to them.

    Parameters
    ----------
    form : CacheFormat
        The chip's, without use.
    scores, values : array
        (G, T, T) and (G, T, d), of calibration.
    heads : int
        Groups are those of so many heads, again and again.
    """

    per_token = True  # whether a scale stands within the sum

    def __init__(
        self, form: CacheFormat, scores: BitArray, values: BitArray, heads: int = 1
    ) -> None:
        del form
        self.codes = codes_for(scores)
        real = values.view(np.float16).astype(np.float32)
        means = np.abs(real).reshape(-1, heads, *real.shape[1:]).mean(axis=(0, 2))
        self.channels = np.maximum(means, LEAST)[:, None]
        scales = np.broadcast_to(self.scales(real), real.shape)
        step = max(1, real.size // SAMPLE) | 1  # as many of each channel
        ratio, weights = (part.ravel()[::step] for part in (real / scales, scales**2))
        book = fit_codebook(ratio, INDEX_BITS, symmetric=True, weights=weights)[8:]
        self.bounds = (book[1:] + book[:-1]) / 2
        self.table = Table.of(self.codes.powers / ONE, book)

    @abstractmethod
    def scales(self, real: Array) -> Array:
        """Return what broadcasts to a scale for each number of values (G, T, d)."""

    def __call__(self, scores: BitArray, values: BitArray) -> BitArray:
        """Return mixes (G, T, d)."""
        real = values.view(np.float16).astype(np.float32)
        scales = self.scales(real)
        magnitude = np.searchsorted(self.bounds, np.abs(real) / scales, side="right")
        codes = magnitude + np.where(real < 0, 8, 0)
        row = softmax_indices(flat(scores), self.codes)
        times = scales.swapaxes(1, 2) if self.per_token else None
        found = sums_of(self.table.entries, row.indices.reshape(scores.shape), codes, times)
        over = self.table.unit * (1.0 if self.per_token else scales)
        return to_bits(found * over * inverse_of(row).reshape(*scores.shape[:2], 1))


class PerChannel(OtherScale):
    """One scale for each channel of a head, known before: the output's."""

    per_token = False

    def scales(self, real: Array) -> Array:  # noqa: D102
        return np.tile(self.channels, (len(real) // len(self.channels), 1, 1))


class PowerOfTwo(OtherScale):
    """A power of two for each token: its row is shifted."""

    def scales(self, real: Array) -> Array:  # noqa: D102
        return np.exp2(np.rint(np.log2(_means(real))))


class OfTokens(OtherScale):
    """One scale for 16 tokens: sums over these are multiplied, and added."""

    def scales(self, real: Array) -> Array:  # noqa: D102
        means = _means(real)
        length = means.shape[1]
        whole = np.pad(means, ((0, 0), (0, -length % TOKENS), (0, 0)), mode="edge")
        groups = whole.reshape(len(means), -1, TOKENS).mean(axis=2)
        return np.repeat(groups, TOKENS, axis=1)[:, :length, None]


def _means(real: Array) -> Array:
    return np.maximum(np.abs(real).mean(axis=-1, keepdims=True), np.float32(LEAST))


class Added:
    """The logarithm of a value's scale is added to its score, so that an index has both.

    The sum of the powers alone is counted with indices of the scores alone.
    """

    def __init__(self, form: CacheFormat, scores: BitArray, values: BitArray) -> None:
        self.form, self.plain = form, codes_for(scores)
        self.codes = codes_for(_moved(scores, coded(values, form)[1]))
        self.table = Table.of(self.codes.powers / ONE, form.centroids * CODE_UNIT)

    def __call__(self, scores: BitArray, values: BitArray) -> BitArray:
        """Return mixes (G, T, d)."""
        codes, scales = coded(values, self.form)
        moved = _moved(scores, scales)
        index = softmax_indices(flat(moved), self.codes).indices.reshape(scores.shape)
        divided = inverse_of(softmax_indices(flat(scores), self.plain))
        most = (part.view(np.float16).max(axis=-1).astype(float) for part in (moved, scores))
        apart = np.exp(np.subtract(*most))
        found = sums_of(self.table.entries, index, codes)
        return to_bits(found * self.table.unit * (apart * divided.reshape(apart.shape))[..., None])


def _moved(scores: BitArray, scales: Array) -> BitArray:
    logarithm = np.log(scales).astype(np.float16).astype(np.float32)
    return to_bits(scores.view(np.float16) + logarithm[:, None])


class Paired:
    """Scales have indices, too: a table of 256 gives the index of the product with a power."""

    def __init__(self, form: CacheFormat, scores: BitArray, values: BitArray) -> None:
        self.form, self.codes = form, codes_for(scores)
        scales = coded(values, form)[1].astype(np.float64)
        self.scales = fit_codebook(scales.ravel(), INDEX_BITS, symmetric=False)
        row = softmax_indices(flat(scores), self.codes)
        pairs = row.indices.reshape(scores.shape) * INDICES + nearest(scales, self.scales)[:, None]
        weights = np.repeat((ONE / np.maximum(row.total, 1)) ** 2, scores.shape[-1])
        counts = np.bincount(pairs.ravel(), weights, INDICES**2).astype(np.float64)
        counts = counts.reshape(INDICES, INDICES)
        powers = self.codes.powers / ONE
        self.pairs, products = fit_pairs(counts, powers, self.scales)
        self.table = Table.of(np.append(products, 0), form.centroids * CODE_UNIT)

    def __call__(self, scores: BitArray, values: BitArray) -> BitArray:
        """Return mixes (G, T, d)."""
        codes, scales = coded(values, self.form)
        row = softmax_indices(flat(scores), self.codes)
        index = self.pairs[row.indices.reshape(scores.shape), nearest(scales, self.scales)[:, None]]
        index = np.where(scores == MASKED, INDICES, index)
        found = sums_of(self.table.entries, index, codes)
        return to_bits(found * self.table.unit * inverse_of(row).reshape(*scores.shape[:2], 1))
