"""Lookups of attention for many heads and windows together: rows, codes and sums in integers.

What :func:`golden.exact.linear.look_up` does for one cache, for all of a batch at once: the same
indices, entries, residual rows and sums, which are exact. What scales the sums is in float64 and
rounded to FP16, where the engine's short product is up to a third of a last place off.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.chip.constants import SPEC
from golden.exact.clustering import cluster, thresholds
from golden.exact.fp16 import BitArray, key
from golden.exact.grid import GRID, grid_index
from golden.exact.outliers import repeated
from golden.exact.residual import ratio
from golden.exact.spec import A_FRACTION_BITS, GRID_FRACTION_BITS, GRID_MAX, IntArray
from golden.exact.token_scale import Scale
from golden.quantise.methods.layer import Array

GRID_UNIT = 2.0**-3  # of entries that are made, in scales
CODE_UNIT = 2.0**-6  # of a cache's centroids
MASKED = 0xFC00  # -infinity


@dataclass(frozen=True)
class Rows:
    """What an activation offers the codes of a cache to choose from.

    Parameters
    ----------
    centroids : (n,) int64
        Of activations, in units of 2**-10 scales; the grid's where rows are made.
    magnitudes : (8,) int64
        Of the cache, in units of 2**-6 scales.
    """

    centroids: IntArray
    magnitudes: IntArray

    @property
    def made(self) -> bool:
        """Whether rows are made of activations of 8 bits."""
        return len(self.centroids) == len(GRID)

    @property
    def unit(self) -> float:
        """What an entry counts for, in scales: the largest product has the largest entry."""
        if self.made:
            return GRID_UNIT
        most = np.abs(self.centroids).max() * 2.0**-A_FRACTION_BITS
        return float(most * self.magnitudes.max() * CODE_UNIT / SPEC.entry_max)

    def entries(self, values: npt.NDArray[np.floating]) -> Array:
        """Return the products (..., 8) of values in scales with all magnitudes, rounded."""
        exact = values[..., None] * (self.magnitudes * (CODE_UNIT / self.unit))
        return (np.sign(exact) * np.floor(np.abs(exact) + 0.5)).astype(np.float32)

    def table(self) -> Array:
        """Return the rows (n + 1, 8); the last one is of zeros."""
        values = np.append(self.centroids * 2.0**-A_FRACTION_BITS, 0)
        return self.entries(values)

    def indices(self, x: BitArray, scale: Scale) -> IntArray:
        """Return the index of each activation (T, K)."""
        if self.made:
            return grid_index(x, scale)
        return cluster(key(x), thresholds(scale, self.centroids))

    def residuals(self, x: BitArray, scale: Scale, index: IntArray, places: IntArray) -> IntArray:
        """Return what activations at ``places`` (T, n) are beyond their centroids, in 2**-10."""
        whole = ratio(np.take_along_axis(x, places, axis=1), scale)
        centroid = self.centroids[np.take_along_axis(index, places, axis=1)]
        return np.where(repeated(places), 0, whole - centroid)


def sums_of(table: Array, index: IntArray, codes: IntArray, times: Array | None = None) -> Array:
    """Return sums (G, T, N) of the entries that codes choose.

    Parameters
    ----------
    table : (n, 8) float32
        Integers.
    index : (G, T, K) int
        Rows of the table.
    codes : (G, K, N) int64
        Sign in bit 3, magnitude below.
    times : (G, 1, K) float32, optional
        What each input's entries are multiplied by.
    """
    signs = np.where(codes >> 3, np.float32(-1), np.float32(1))
    total = np.zeros((*index.shape[:2], codes.shape[2]), np.float32)
    for magnitude, column in enumerate(table.T):
        if not column.any():
            continue
        left = np.take(column, index)
        if times is not None:
            left *= times
        total += left @ (signs * (codes & 7 == magnitude))
    return total


def residual_sums(rows: Rows, residual: IntArray, places: IntArray, codes: IntArray) -> Array:
    """Return what residuals (G, T, n) at places add to sums (G, T, N)."""
    entries = rows.entries(residual * 2.0**-A_FRACTION_BITS)
    total = np.zeros((*places.shape[:2], codes.shape[2]), np.float32)
    groups = np.arange(len(codes))[:, None]
    for n in range(places.shape[2]):
        met = codes[groups, places[..., n]]
        found = np.take_along_axis(entries[..., n, :], met & 7, axis=2)
        total += np.where(met >> 3, -found, found)
    return total


def spread_rows(x: BitArray, scale: Scale, places: IntArray, turn: Array) -> BitArray:
    """Return vectors (T, d) turned, as the layer of :mod:`golden.chip.spread` reads them.

    Parameters
    ----------
    x : (T, d) uint16
    scale : Scale
        (T,) means.
    places : (T, 2 n) int64
        Outliers.
    turn : (d, d) float32
    """
    index = grid_index(x, scale)
    entries = (index - GRID_MAX).astype(np.float64) * 2  # the centroid makes two of a step
    rows = Rows(GRID, np.zeros(8, np.int64))
    residual = rows.residuals(x, scale, index, places) / 32.0
    rounded = np.sign(residual) * np.floor(np.abs(residual) + 0.5)
    for n in range(places.shape[1]):
        at = np.arange(len(x)), places[:, n]
        entries[at] += rounded[:, n]
    sums = entries.astype(np.float32) @ turn
    unit = 2.0 ** -(GRID_FRACTION_BITS + 1)
    return (sums * (scale.value()[:, None] * unit)).astype(np.float16).view(np.uint16)
