"""How scores meet values whose scales differ from token to token: each power is multiplied.

A mix is the sum of power times scale times centroid over the tokens, divided by the sum of the
powers. The scale stands within the sum. Here it multiplies each power, and the product becomes a
row, as in the chip; powers are those of FP16 or sixteen constants. Ways that need no product for
each score are in :mod:`golden.chip.value_constants`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from golden.chip.attention import MIX_MEANS
from golden.chip.attention_rows import MASKED, Rows, residual_sums, sums_of
from golden.chip.windows import BEYOND, LOWEST
from golden.exact.cache_codes import CacheFormat, cache_codes
from golden.exact.codebook import FloatArray, fit_codebook, to_grid
from golden.exact.fp16 import BitArray, flush_nonfinite, key, to_bits
from golden.exact.grid import GRID
from golden.exact.index_softmax import ONE, Row, SoftmaxCodes, softmax_indices
from golden.exact.norms import inverse
from golden.exact.outliers import select_outliers
from golden.exact.spec import A_FRACTION_BITS, GRID_BITS, IntArray
from golden.exact.token_scale import Scale, ScaleFactor, token_scale
from golden.exact.vector_operations import largest, powers
from golden.quantise.index_fit import DistanceCounts, fit_softmax
from golden.quantise.methods.layer import Array

TOTAL_SHIFT = 9  # from units of an index's power, 2**-15, to those that are inverted, 2**-24
FITTED = 1 << 12  # rows of scores that something is fitted to

# Takes scores (G, T, S) and scales (G, S); returns powers times scales (N, S), zeros where scores
# are masked, and what multiplies a row's mix (N,).
Softmax = Callable[[BitArray, Array], tuple[BitArray, FloatArray]]


def flat(scores: BitArray) -> BitArray:
    """Return rows (N, S) of scores (G, T, S)."""
    return scores.reshape(-1, scores.shape[-1])


def codes_for(scores: BitArray) -> SoftmaxCodes:
    """Return the codes of softmax that fit scores (G, T, S)."""
    rows, seen = flat(scores), DistanceCounts()
    seen.add(rows[:: max(1, len(rows) // FITTED)])
    return fit_softmax(seen.weights)


def coded(values: BitArray, form: CacheFormat) -> tuple[IntArray, Array]:
    """Return codes (G, T, d) and scales (G, T), as the chip keeps values."""
    codes, scales = cache_codes(values.reshape(-1, values.shape[-1]), form)
    real = scales.view(np.float16).astype(np.float32)
    return codes.reshape(values.shape), real.reshape(values.shape[:2])


def inverse_of(row: Row) -> FloatArray:
    """Return what the sums of powers divide by."""
    return inverse(row.total << TOTAL_SHIFT).value()


def in_fp16(scores: BitArray, scales: Array) -> tuple[BitArray, FloatArray]:
    """Softmax of the chip."""
    rows = flat(scores)
    there = rows != MASKED
    seen = np.where(there, rows, np.uint16(LOWEST))
    times = np.broadcast_to(to_bits(scales)[:, None], scores.shape).reshape(rows.shape)
    found, total = powers(seen, largest(seen), times)
    return np.where(there, found, 0).astype(np.uint16), inverse(total).value()


@dataclass(frozen=True)
class OnIndices:
    """Softmax on indices: powers are constants."""

    codes: SoftmaxCodes

    def __call__(self, scores: BitArray, scales: Array) -> tuple[BitArray, FloatArray]:
        """Return powers times scales and what multiplies a mix."""
        row = softmax_indices(flat(scores), self.codes)
        constants = to_bits(self.codes.powers / ONE).view(np.float16).astype(np.float32)
        found = constants[row.indices].reshape(scores.shape) * scales[:, None]
        return flat(to_bits(found)), inverse_of(row)


class Multiplied:
    """Products of powers and scales become rows of so many bits.

    Parameters
    ----------
    form : CacheFormat
        Of values.
    scores, values : array
        (G, T, T) and (G, T, d), of calibration.
    bits : int
        4, 5 or 8.
    outliers : int
        Of a row, on each side.
    softmax : callable, optional
        By default on indices.
    """

    def __init__(
        self,
        form: CacheFormat,
        scores: BitArray,
        values: BitArray,
        bits: int,
        outliers: int,
        softmax: Softmax | None = None,
    ) -> None:
        self.form, self.outliers = form, outliers
        self.softmax = softmax or OnIndices(codes_for(scores))
        self.rows = Rows(GRID, form.centroids)
        if bits != GRID_BITS:
            self.rows = Rows(self._codebook(scores, values, bits), form.centroids)

    def _codebook(self, scores: BitArray, values: BitArray, bits: int) -> IntArray:
        step = max(1, len(flat(scores)) // FITTED)
        part, found = scores[::step], values[::step]
        x, _ = self.softmax(part, coded(found, self.form)[1])
        ratio = x.view(np.float16) / _scales(x, scores.shape[-1]).value()[:, None]
        inner = flat(part) != MASKED
        np.put_along_axis(inner, self._places(x, inner.copy()), False, axis=1)
        return to_grid(fit_codebook(ratio[inner], bits, symmetric=False), A_FRACTION_BITS)

    def _places(self, x: BitArray, past: np.ndarray) -> IntArray:
        """Return where the largest and the smallest of what is there are."""
        keys, count = key(x), min(self.outliers, x.shape[1])
        most = select_outliers(np.where(past, keys, -1), count)[:, :count]
        least = select_outliers(np.where(past, keys, BEYOND), count)[:, count:]
        return np.concatenate([most, least], axis=1)

    def __call__(self, scores: BitArray, values: BitArray) -> BitArray:
        """Return mixes (G, T, d)."""
        codes, scales = coded(values, self.form)
        products, divided = self.softmax(scores, scales)
        x, past = flush_nonfinite(products), flat(scores) != MASKED
        scale, places = _scales(x, scores.shape[-1]), self._places(x, past)
        index = self.rows.indices(x, scale)
        residual = self.rows.residuals(x, scale, index, places)
        residual = np.where(np.take_along_axis(past, places, axis=1), residual, 0)
        index = np.where(past, index, len(self.rows.centroids))
        shape = *scores.shape[:2], -1
        sums = sums_of(self.rows.table(), index.reshape(shape), codes)
        sums += residual_sums(self.rows, residual.reshape(shape), places.reshape(shape), codes)
        return to_bits(sums * (scale.value() * divided * self.rows.unit).reshape(shape))


def _scales(x: BitArray, length: int) -> Scale:
    """Return the scales of rows of powers: each has as many as its position says."""
    means = [ScaleFactor.mean(n, Fraction(MIX_MEANS)) for n in range(1, length + 1)]
    repeats = len(x) // length
    factor = Scale(
        np.tile([mean.mantissa for mean in means], repeats),
        np.tile([mean.exponent for mean in means], repeats),
    )
    return token_scale(x, factor)
