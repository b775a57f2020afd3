"""Uniform grids in the place of codebooks: integers, with all else as it is.

What the same search for indices, scales and outliers reaches on an INT4 grid says how much of the
gain is due to the codebooks alone.
"""

import numpy as np

from golden.codebook import FloatArray, nearest, to_grid
from golden.product_table import Table
from golden.spec import A_FRACTION_BITS, NumberSpec
from golden.weight_fit import best_scales

STEPS_TRIED = 96
# The smallest steps tried, for activations and for a channel's weights, in parts of the one with
# which the largest value is not cut off.
SMALLEST_STEP = 0.05
SMALLEST_SCALE = 0.2


def levels(bits: int, *, symmetric: bool) -> FloatArray:
    """Return ``-2**(bits-1)`` to ``2**(bits-1) - 1``; symmetric: the halves between, as many."""
    half = 1 << (bits - 1)
    return np.arange(-half, half, dtype=np.float64) + (0.5 if symmetric else 0.0)


def fit_grid(values: FloatArray, bits: int, *, symmetric: bool) -> FloatArray:
    """Return the uniform codebook of least squared error for values (n,)."""
    grid = levels(bits, symmetric=symmetric)
    widest = float(np.abs(values).max()) / grid[-1] or 1.0
    sample = values[:: max(1, len(values) >> 17)]

    def error(step: float) -> float:
        return float(((sample - step * grid[nearest(sample / step, grid)]) ** 2).sum())

    return min(widest * np.geomspace(SMALLEST_STEP, 1, STEPS_TRIED), key=error) * grid


def grid_weights(
    w: FloatArray, energy: FloatArray, bits: int, *, symmetric: bool
) -> tuple[FloatArray, FloatArray]:
    """Return scales (N,) and the grid, as :func:`golden.weight_fit.fit_weights` does."""
    grid = levels(bits, symmetric=symmetric)
    largest = np.abs(w).max(axis=0)
    live = largest > 0
    unit = w[:, live] / largest[live]
    energy = energy / energy.mean() if energy.any() else np.ones(len(w))
    high = np.full(unit.shape[1], 1 / grid[-1])
    scale = np.zeros(len(live))
    scale[live] = largest[live] * best_scales(unit, energy, grid, SMALLEST_SCALE * high, high)
    return scale, grid


def uniform_table(spec: NumberSpec, a_grid: FloatArray, w_grid: FloatArray) -> Table:
    """Return a table without any error: products of integers, times what still fits."""
    a_step, w_step = a_grid[1] - a_grid[0], w_grid[1] - w_grid[0]
    ints = np.rint(np.outer(2 * a_grid / a_step, 2 * w_grid / w_step)).astype(np.int64)
    # Plain grids hold even numbers alone here, symmetric ones odd numbers.
    ints //= np.gcd.reduce(ints, axis=None)
    ints *= max(1, spec.entry_max // int(np.abs(ints).max()))
    unit = ints[0, 0] / (a_grid[0] * w_grid[0])
    a = to_grid(a_grid, A_FRACTION_BITS)
    return Table(unit, a, to_grid(w_grid * unit, spec.w_fraction_bits), ints)
