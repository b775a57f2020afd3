"""Uniform grids in the place of codebooks: INT4, with all else as it is.

What the same search for indices, scales and outliers reaches on an INT4 grid says how much of the
gain is due to the codebooks alone. The grid gets what such hardware has: activations have a zero
point, or those behind a GELU, of which most are a little below zero, would fall on one or two
levels; zero is one of the levels; weights have a scale per output channel. Nothing has to be
symmetric, as no table becomes smaller by it.
"""

import numpy as np

from golden.exact.codebook import FloatArray, gather
from golden.quantise.weight_fit import best_scales

# Zero points tried at most, for activations: evenly spaced levels, where there are more.
ZEROS_TRIED = 32
# Steps tried, for each zero point; then as many again between the neighbours of the best.
STEPS_TRIED = 32
# The smallest steps tried, for activations and for a channel's weights, in parts of the one with
# which the largest value is not cut off.
SMALLEST_STEP = 0.05
SMALLEST_SCALE = 0.2


def fit_grid(values: FloatArray, bits: int, *, symmetric: bool) -> FloatArray:
    """Return the levels (2**bits,) of least squared error: a step times integers around zero.

    Parameters
    ----------
    values : (n,) float64
    bits : int
    symmetric : bool
        Makes no difference: integers have one level more on one side.
    """
    del symmetric
    points, counts = gather(values, np.ones(len(values)))
    widest = float(np.abs(points).max()) or 1.0
    last = (1 << bits) - 1

    def error(zero: int, step: float) -> float:
        level = np.clip(np.rint(points / step), -zero, last - zero)
        return float(counts @ (points - step * level) ** 2)

    zeros = range(0, last + 1, max(1, (last + 1) // ZEROS_TRIED))
    steps = widest * np.geomspace(SMALLEST_STEP, 2, STEPS_TRIED) / (last // 2)
    zero, step = min(((z, s) for z in zeros for s in steps), key=lambda t: error(*t))
    ratio = steps[1] / steps[0]
    fine = step * np.geomspace(1 / ratio, ratio, STEPS_TRIED)
    return min(fine, key=lambda s: error(zero, s)) * (np.arange(last + 1) - zero)


def grid_weights(w: FloatArray, energy: FloatArray, bits: int) -> tuple[FloatArray, FloatArray]:
    """Return scales (N,) and the grid, as :func:`golden.quantise.weight_fit.fit_weights` does."""
    half = 1 << (bits - 1)
    grid = np.arange(-half, half, dtype=np.float64)
    largest = np.abs(w).max(axis=0)
    live = largest > 0
    unit = w[:, live] / largest[live]
    energy = energy / energy.mean() if energy.any() else np.ones(len(w))
    high = np.full(unit.shape[1], 1 / grid[-1])
    scale = np.zeros(len(live))
    scale[live] = largest[live] * best_scales(unit, energy, grid, SMALLEST_SCALE * high, high)
    return scale, grid
