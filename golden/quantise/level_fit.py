"""Levels on the grid for activations of 4 or 5 bits: K-Means, rounded to steps."""

from fractions import Fraction

import numpy as np

from golden.exact.codebook import FloatArray, fit_codebook, gather
from golden.exact.levels import Levels
from golden.exact.spec import GRID_FRACTION_BITS, GRID_MAX

# Scales tried for the grid, relative to the mean.
GRID_SCALES = [Fraction(n, 16) for n in range(8, 64)]
STEPS = 1 << GRID_FRACTION_BITS  # of a token scale


def fit_levels(values: FloatArray, bits: int, row_step: float) -> tuple[Fraction, Levels]:
    """Return the token scale, in means, and the levels with which values in means lose least.

    Magnitudes are clustered by K-Means. A smaller scale rounds the centroids less, and a larger
    one reaches further.

    Parameters
    ----------
    values : (n,) float64
        In means of their tokens.
    bits : int
        4 or 5: one for the sign.
    row_step : float
        What an entry of a row is rounded to, in token scales.
    """
    centroids = fit_codebook(values, bits, symmetric=True)[1 << (bits - 1) :]
    magnitudes, counts = gather(np.abs(values), np.full(len(values), 1 / len(values)))

    def error(scale: Fraction) -> float:
        steps = np.minimum(np.floor(magnitudes / float(scale) * STEPS + 0.5), GRID_MAX)
        found = levels_of(centroids / float(scale)).table[steps.astype(np.int64)]
        lost = found * float(scale) / STEPS - magnitudes
        return float(counts @ lost**2 + (float(scale) * row_step) ** 2 / 12)

    best = min(GRID_SCALES, key=error)
    return best, levels_of(centroids / float(best))


def levels_of(centroids: FloatArray) -> Levels:
    """Return ascending magnitudes in token scales as levels; each begins halfway to the next."""
    value = np.minimum(np.rint(centroids * STEPS), GRID_MAX).astype(np.int64)
    first = (value[:-1] + value[1:] + 1) // 2  # the upper one of two equally near
    return Levels(np.concatenate([[0], first]), value)
