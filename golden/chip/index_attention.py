"""Attention of the chip's decoder in integers, with softmax on indices or in FP16.

Keys are kept as the chip keeps them; queries are rows of 4, 5 or 8 bits. What becomes of the scales
of values is a choice (:mod:`golden.chip.value_scales`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from golden.chip.attention_rows import MASKED, Rows, residual_sums, spread_rows, sums_of
from golden.chip.decoder import Decoder
from golden.chip.real import Kept
from golden.chip.spread import OUTLIERS
from golden.exact.cache_codes import CacheFormat, cache_codes
from golden.exact.codebook import to_grid
from golden.exact.fp16 import BitArray, key, to_bits
from golden.exact.grid import GRID
from golden.exact.outliers import select_outliers
from golden.exact.spec import A_FRACTION_BITS, GRID_BITS
from golden.exact.token_scale import ScaleFactor, token_scale
from golden.quantise.activation_fit import fit_activations
from golden.quantise.methods.hadamard import hadamard
from golden.quantise.methods.layer import Array

SAMPLE = 1 << 14  # vectors that something is fitted to


class Mix(Protocol):
    """How scores of one layer meet its values."""

    def __call__(self, scores: BitArray, values: BitArray, /) -> BitArray:
        """Return mixes (G, T, d) of values (G, T, d) with scores (G, T, T), masked -infinity."""
        ...


# Makes what mixes of a layer's format of values, and of scores and values of calibration.
MakeMix = Callable[[CacheFormat, BitArray, BitArray], Mix]


@dataclass(frozen=True)
class Scores:
    """How one layer's queries meet its keys.

    Parameters
    ----------
    offset : (H, 1, d) float32
        What is added to keys.
    keys : CacheFormat
    turn : (d, d) float32
    outliers : int
        Of a query, on each side.
    factor : ScaleFactor
        Makes a query's scale.
    rows : Rows
    """

    offset: Array
    keys: CacheFormat
    turn: Array
    outliers: int
    factor: ScaleFactor
    rows: Rows

    def __call__(self, query: Array, key_: Array) -> BitArray:
        """Return FP16 scores (G, T, T) of queries and keys (B, H, T, d), masked -infinity."""
        turned = spread(to_bits(query), self.turn)
        width, length = query.shape[-1], query.shape[-2]
        scale = token_scale(turned, self.factor)
        index = self.rows.indices(turned, scale)
        places = select_outliers(key(turned), self.outliers)
        residual = self.rows.residuals(turned, scale, index, places)
        offset = to_bits(to_bits(key_).view(np.float16).astype(np.float32) + self.offset)
        codes, scales = cache_codes(spread(offset, self.turn), self.keys)
        codes = codes.reshape(-1, length, width).swapaxes(1, 2)
        shape = len(codes), length, -1
        sums = sums_of(self.rows.table(), index.reshape(shape), codes)
        sums += residual_sums(self.rows, residual.reshape(shape), places.reshape(shape), codes)
        of_query = (scale.value() * self.rows.unit).reshape(-1, length, 1)
        found = to_bits(sums * of_query * scales.view(np.float16).reshape(-1, 1, length))
        return np.where(np.tri(length, dtype=np.bool_), found, np.uint16(MASKED))


def spread(x: BitArray, turn: Array) -> BitArray:
    """Return vectors (..., d), turned, as (T, d)."""
    flat = x.reshape(-1, x.shape[-1])
    scale = token_scale(flat, ScaleFactor.mean(flat.shape[1]))
    return spread_rows(flat, scale, select_outliers(key(flat), OUTLIERS), turn)


class IndexAttention:
    """Attention of all layers, fitted to what calibration has seen of them.

    Parameters
    ----------
    decoder : Decoder
    seen : sequence of Kept
        Queries, keys and values of each layer.
    query_bits : int
        4, 5 or 8.
    make : MakeMix
    """

    def __init__(
        self, decoder: Decoder, seen: Sequence[Kept], query_bits: int, make: MakeMix
    ) -> None:
        self.scores = [scores_of(decoder, n, one, query_bits) for n, one in enumerate(seen)]
        self.mixes = []
        for n, (layer, one) in enumerate(zip(decoder.layers, seen, strict=True)):
            found = self.scores[n](one.query, one.key)
            self.mixes.append(make(layer.values, found, _groups(to_bits(one.value))))

    def __call__(self, layer: int, query: Array, key: Array, value: Array) -> Array:
        """Return the mixes (B, H, T, d) of a layer."""
        scores = self.scores[layer](query, key)
        mixed = self.mixes[layer](scores, _groups(to_bits(value)))
        return mixed.view(np.float16).astype(np.float32).reshape(value.shape)


def _groups(x: BitArray) -> BitArray:
    return x.reshape(-1, *x.shape[-2:])


def scores_of(decoder: Decoder, n: int, seen: Kept, bits: int) -> Scores:
    """Return how queries of so many bits meet the keys of a layer."""
    layer, width = decoder.layers[n], decoder.shape.head_width
    turn = hadamard(width).astype(np.float32)
    flat = layer.key_offset.view(np.float16).astype(np.float32)
    offset = flat.reshape(-1, 1, width)
    offset = np.repeat(offset, decoder.shape.heads // len(offset), axis=0)
    outliers = decoder.score_outliers
    factor, centroids = ScaleFactor.mean(width), GRID
    if bits != GRID_BITS:
        turned = spread(to_bits(seen.query), turn)
        sample = turned[:: max(1, len(turned) // SAMPLE)]
        fit = fit_activations(sample, bits, symmetric=True, k_top=outliers)
        factor, centroids = fit.factor, to_grid(fit.codebook, A_FRACTION_BITS)
    rows = Rows(centroids, layer.keys.centroids)
    return Scores(offset, layer.keys, turn, outliers, factor, rows)
