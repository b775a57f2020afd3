"""Scales of the output channels and the weight codebook, fitted together.

Both minimise the expected squared error of the outputs, sum over k, n of
``E[x[k]**2] * (W[k, n] - s[n] * C[index])**2``, each in turn. An output channel that holds one huge
weight then takes a larger scale, as in a uniform grid, and the codebook keeps its range: had it a
centroid far out for a handful of weights, the integers of the product table would be coarse for
all the others.
"""

import numpy as np

from golden.exact.codebook import FloatArray, fit_codebook, nearest, require_index_bits

ROUNDS = 2
SCALES_TRIED = 16
# The first codebook takes no notice of how far out a weight beyond this many RMS lies.
FIRST_REACH = 4.0
# A channel of inputs that calibration never met counts this much of the mean.
SILENT = 1e-9


def fit_weights(
    w: FloatArray, energy: FloatArray, bits: int, *, symmetric: bool
) -> tuple[FloatArray, FloatArray]:
    """Return the scale (N,) of each output channel and the codebook of the whole matrix.

    Parameters
    ----------
    w : (K, N) float64
    energy : (K,) float64
        Mean square of each input.
    bits : int
        2, 3 or 4.
    symmetric : bool

    Returns
    -------
    scale : (N,) float64
        0 where all weights of a channel are; it takes no part in the codebook.
    codebook : (2**bits,) float64
        Ascending, in scales.
    """
    require_index_bits("weight_bits", bits)
    largest = np.abs(w).max(axis=0)
    live = largest > 0
    if not live.any():
        return np.zeros(len(live)), np.zeros(1 << bits)
    # Relative to the largest, so that no square leaves the range of float64.
    unit = w[:, live] / largest[live]
    energy = energy / energy.mean() + SILENT if energy.any() else np.ones(len(w))
    scale = np.sqrt((unit**2).mean(axis=0))
    reach, smallest = FIRST_REACH, 0.7 * scale
    worth = largest[live] / largest.max()
    codebook = np.zeros(1 << bits)
    for round_ in range(ROUNDS + 1):
        counts = energy[:, None] * (scale * worth) ** 2
        values = np.clip(unit / scale, -reach, reach)
        codebook = fit_codebook(values.ravel(), bits, symmetric=symmetric, weights=counts.ravel())
        if round_ < ROUNDS:
            enough = np.maximum(2 * smallest, 1.02 / np.abs(codebook).max())
            scale = best_scales(unit, energy, codebook, smallest, enough)
            reach = np.inf
    all_scales = np.zeros(len(live))
    all_scales[live] = scale * largest[live]
    return all_scales, codebook


def best_scales(
    w: FloatArray, energy: FloatArray, codebook: FloatArray, low: FloatArray, high: FloatArray
) -> FloatArray:
    """Return for each output channel the scale from ``low`` to ``high`` of least error."""
    best, least = low, np.full(len(low), np.inf)
    for step in np.linspace(0, 1, SCALES_TRIED):
        scale = low * (high / low) ** step
        error = energy @ (w - scale * codebook[nearest(w / scale, codebook)]) ** 2
        best = np.where(error < least, scale, best)
        least = np.minimum(error, least)
    return best
