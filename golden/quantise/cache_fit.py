"""What is chosen offline of a cache of keys and values: the codes of a head's vectors."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from golden.exact.cache_codes import CacheFormat, cache_codes, values_of
from golden.exact.codebook import fit_codebook
from golden.exact.fp16 import BitArray, to_bits
from golden.exact.spec import GRID_FRACTION_BITS, IntArray
from golden.exact.token_scale import ScaleFactor
from golden.quantise.activation_fit import ActivationFit, fit_activations, see
from golden.quantise.methods.grid import Floats
from golden.quantise.methods.hadamard import hadamard
from golden.quantise.methods.layer import Array

CENTROID_UNITS = 64  # a scale is so many units of a cache's centroids
QUERY_OUTLIERS = 1  # on each side, as the chip's
SAMPLE = 1 << 14  # vectors that codes are fitted to


def fit_cache(vectors: Floats, queries: Floats | None = None) -> CacheFormat:
    """Return the format with which vectors (T, d) of heads lose least.

    Keys count by the energy of the queries that meet them.
    """
    width = vectors.shape[1]
    mean = np.abs(vectors).mean(axis=1, keepdims=True)
    ratio = vectors / np.maximum(mean, 1e-9)
    weight = mean**2 * np.ones(width)
    if queries is not None:
        weight = weight * (queries**2).mean(axis=0)
    codebook = fit_codebook(
        ratio.ravel(), 4, symmetric=True, weights=np.maximum(weight.ravel(), 1e-12)
    )[8:]
    # The scale is as small as the largest centroid and the grid's end allow.
    scale = Fraction(max(4, int(np.ceil(codebook[-1] / 7.5 * 16))), 16)
    centroids = np.rint(codebook / float(scale) * CENTROID_UNITS).astype(np.int64)
    bounds = (codebook[:-1] + codebook[1:]) / 2 / float(scale)
    steps = np.clip(np.rint(bounds * 2**GRID_FRACTION_BITS), 1, 127).astype(np.int64)
    return CacheFormat(ScaleFactor.mean(width, scale), steps, np.minimum(centroids, 511))


@dataclass(frozen=True)
class HeadCodes:
    """Codes of one layer's heads: keys and values as the chip keeps them, queries as rows.

    Parameters
    ----------
    offset : (H, 1, d) float32
        What is added to keys: minus their mean.
    turn : (d, d) float32
        What keys and queries are turned by.
    keys, values : CacheFormat
    queries : ActivationFit
        Of turned queries.
    """

    offset: Array
    turn: Array
    keys: CacheFormat
    values: CacheFormat
    queries: ActivationFit

    @classmethod
    def fit(cls, query: Array, key: Array, value: Array, query_bits: int) -> "HeadCodes":
        """Return the codes that fit heads (H, T, d)."""
        width = key.shape[-1]
        turn = hadamard(width).astype(np.float32)
        offset = -key.mean(axis=1, keepdims=True)

        def sample(heads: Array) -> Array:
            rows = heads.reshape(-1, width)
            return rows[:: max(1, len(rows) // SAMPLE)]

        queries = sample(query @ turn)
        return cls(
            offset,
            turn,
            fit_cache(sample((key + offset) @ turn), queries),
            fit_cache(sample(value)),
            fit_activations(to_bits(queries), query_bits, symmetric=True, k_top=QUERY_OUTLIERS),
        )

    def kept(self, key: Array, value: Array, *, level: bool = False) -> tuple[Array, Array]:
        """Return turned keys, less their mean, and values (H, T, d), as they are kept.

        Scales are the chip's, or with ``level`` those of :func:`level_scales`.
        """
        turned: Array = np.asarray((key + self.offset) @ self.turn, np.float32)
        return _kept(turned, self.keys, level), _kept(value, self.values, level)

    def read(self, query: Array) -> Array:
        """Return turned queries (H, T, d) as rows have them."""
        flat = to_bits(query.reshape(-1, query.shape[-1]))
        seen = see(flat, self.queries, QUERY_OUTLIERS)
        found = seen.values(self.queries.codebook) * seen.scale.value()[:, None]
        return found.reshape(query.shape).astype(np.float32)


def level_scales(x: Array, codes: IntArray, form: CacheFormat) -> BitArray:
    """Return scales (T,) with which codes of vectors (T, d) have the vectors' sums of squares.

    The chip's are known before the codes are, so what these lose is lost to the scale, too.
    """
    ones = np.full(len(x), 1.0, np.float16).view(np.uint16)
    of_codes = (values_of(codes, ones, form) ** 2).sum(axis=1)
    return to_bits(np.sqrt((x**2).sum(axis=1) / np.maximum(of_codes, 2.0**-12)))


def _kept(heads: Array, form: CacheFormat, level: bool) -> Array:
    x = heads.reshape(-1, heads.shape[-1])
    codes, scales = cache_codes(to_bits(x), form)
    if level:
        scales = level_scales(x, codes, form)
    return values_of(codes, scales, form).reshape(heads.shape)
