"""The default recipe: indices, scales and codebook that minimise the error of the outputs."""

import numpy as np

from golden.codebook import FloatArray
from golden.recipes.descent import Indices, Matrix, descend, error_feedback
from golden.recipes.moments import InputMoments
from golden.recipes.refit import better_codebook, better_scales
from golden.recipes.weights import WeightFit
from golden.weight_fit import fit_weights

# Scales and codebook move in the first sweeps alone; after this many, hardly an index changes.
REFITS = 4
SWEEPS = 8
LAST_SWEEPS = 3
SETTLED = 1e-4  # share of indices


def refine_weights(
    w: FloatArray, moments: InputMoments, bits: int, *, symmetric: bool
) -> WeightFit:
    """Return scales, codebook and indices of weights (K, N).

    Starts from :func:`golden.weight_fit.fit_weights` and error feedback, then takes scales,
    codebook and indices in turn, each the best for what the others are.
    """
    scale, real_codebook = fit_weights(w, moments.energy, bits, symmetric=symmetric)
    live = scale > 0
    index = np.zeros(w.shape, np.uint8)
    if not live.any():
        return WeightFit(scale, real_codebook, index)
    codebook = real_codebook.astype(np.float32)
    z, gram = _in_scales(w[:, live], scale[live]), moments.gram
    chosen = error_feedback(z, gram, codebook)
    growth = np.ones(z.shape[1], np.float32)
    worth = (scale[live] / scale.max()).astype(np.float32)
    for sweep in range(SWEEPS):
        if sweep < REFITS:
            more = better_scales(z, gram, codebook, chosen)
            growth, z = growth * more, z / more
            codebook = better_codebook(
                z, gram, codebook, chosen, worth * growth, symmetric=symmetric
            )
        if descend(z, gram, codebook, chosen) < SETTLED * chosen.size:
            break
    index[:, live] = chosen
    scale[live] *= growth
    return WeightFit(scale, codebook.astype(np.float64), index)


def settle(
    w: FloatArray, moments: InputMoments, scale: FloatArray, codebook: FloatArray, index: Indices
) -> tuple[FloatArray, Indices]:
    """Return scales and indices for a codebook that has moved since ``index`` was chosen.

    Parameters
    ----------
    w : (K, N) float64
    moments : InputMoments
    scale : (N,) float64
        Not 0.
    codebook : (2**n_W,) float64
        In scales.
    index : (K, N) uint8
    """
    centroids, gram = codebook.astype(np.float32), moments.gram
    z, index = _in_scales(w, scale), index.copy()
    more = better_scales(z, gram, centroids, index)
    for _ in range(LAST_SWEEPS):
        if descend(z / more, gram, centroids, index) < SETTLED * index.size:
            break
    return scale * more, index


def descend_to_rest(
    w: FloatArray, moments: InputMoments, scale: FloatArray, codebook: FloatArray, index: Indices
) -> Indices:
    """Return indices for scales and a codebook that are final, rounding included."""
    index = index.copy()
    descend(_in_scales(w, scale), moments.gram, codebook.astype(np.float32), index)
    return index


def _in_scales(w: FloatArray, scale: FloatArray) -> Matrix:
    return (w / scale).astype(np.float32)
