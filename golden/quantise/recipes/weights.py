"""What every recipe makes of a weight matrix, and the plain ways to do it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.exact.codebook import FloatArray, fit_codebook, nearest
from golden.quantise.recipes.moments import InputMoments
from golden.quantise.weight_fit import fit_weights


@dataclass(frozen=True)
class WeightFit:
    """Weights, quantised.

    Parameters
    ----------
    scale : (N,) float64
        Of each output channel; 0 where all its weights are.
    codebook : (2**n_W,) float64
        Ascending, in scales.
    index : (K, N) uint8
    """

    scale: FloatArray
    codebook: FloatArray
    index: npt.NDArray[np.uint8]


def paper_weights(w: FloatArray, moments: InputMoments, bits: int, *, symmetric: bool) -> WeightFit:
    """Return the paper's: rows scaled to a root mean square of 1, K-Means of all weights."""
    del moments
    scale = _root_mean_square(w)
    live = scale > 0
    values = (w[:, live] / scale[live]).ravel() if live.any() else np.zeros(1)
    return nearest_weights(w, scale, fit_codebook(values, bits, symmetric=symmetric))


def weighted_weights(
    w: FloatArray, moments: InputMoments, bits: int, *, symmetric: bool
) -> WeightFit:
    """Return weights counted by their input's energy, see :mod:`golden.quantise.weight_fit`."""
    return nearest_weights(w, *fit_weights(w, moments.energy, bits, symmetric=symmetric))


def nearest_weights(w: FloatArray, scale: FloatArray, codebook: FloatArray) -> WeightFit:
    """Return each weight (K, N) as its nearest centroid."""
    index = nearest(w / np.where(scale > 0, scale, 1), codebook)
    return WeightFit(scale, codebook, index.astype(np.uint8))


def _root_mean_square(w: FloatArray) -> FloatArray:
    """Return that of each column (N,), whatever the magnitude of its weights."""
    largest = np.abs(w).max(axis=0)
    unit = w / np.where(largest > 0, largest, 1)
    return largest * np.sqrt((unit**2).mean(axis=0))
