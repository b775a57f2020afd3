"""The default recipe: indices, scales and codebook that minimise the error of the outputs."""

from dataclasses import dataclass

import numpy as np

from golden.exact.codebook import FloatArray, nearest
from golden.quantise.recipes.descent import Indices, Matrix, descend, error_feedback
from golden.quantise.recipes.moments import InputMoments
from golden.quantise.recipes.refit import better_codebook, better_scales
from golden.quantise.recipes.uniform import grid_weights
from golden.quantise.recipes.weights import WeightFit
from golden.quantise.weight_fit import fit_weights

SETTLED = 1e-4  # share of indices: fewer changes in a sweep are not worth another


@dataclass(frozen=True)
class Steps:
    """How indices are searched for.

    Parameters
    ----------
    feedback : bool
        Whether error feedback gives the start; else the nearest centroids do.
    sweeps : int
        Of coordinate descent at most; hardly an index changes after eight.
    refits : int
        Sweeps before which scales and codebook are fitted anew.
    last_sweeps : int
        At most, after the codebook has made room for the product table.
    uniform : bool
        Whether the codebook is a uniform grid, which stays.
    """

    feedback: bool = True
    sweeps: int = 8
    refits: int = 4
    last_sweeps: int = 3
    uniform: bool = False


def refine_weights(
    w: FloatArray, moments: InputMoments, bits: int, *, symmetric: bool, steps: Steps
) -> WeightFit:
    """Return scales, codebook and indices of weights (K, N).

    Starts from :func:`golden.quantise.weight_fit.fit_weights` and error feedback, then takes
    scales, codebook and indices in turn, each the best for what the others are.
    """
    if steps.uniform:
        scale, real_codebook = grid_weights(w, moments.energy, bits)
    else:
        scale, real_codebook = fit_weights(w, moments.energy, bits, symmetric=symmetric)
    live = scale > 0
    index = np.zeros(w.shape, np.uint8)
    if not live.any():
        return WeightFit(scale, real_codebook, index)
    codebook = real_codebook.astype(np.float32)
    z, gram = _in_scales(w[:, live], scale[live]), moments.gram
    chosen = _start(z, gram, codebook, steps)
    growth = np.ones(z.shape[1], np.float32)
    worth = (scale[live] / scale.max()).astype(np.float32)
    for sweep in range(steps.sweeps):
        if sweep < steps.refits:
            more = better_scales(z, gram, codebook, chosen)
            growth, z = growth * more, z / more
        if sweep < steps.refits and not steps.uniform:
            weights = worth * growth
            codebook = better_codebook(z, gram, codebook, chosen, weights, symmetric=symmetric)
        if descend(z, gram, codebook, chosen) < SETTLED * chosen.size:
            break
    index[:, live] = chosen
    scale[live] *= growth
    return WeightFit(scale, codebook.astype(np.float64), index)


def settle(
    w: FloatArray, moments: InputMoments, fit: WeightFit, steps: Steps
) -> tuple[FloatArray, Indices]:
    """Return scales and indices for a codebook that has moved since its indices were chosen.

    Parameters
    ----------
    w : (K, N) float64
    moments : InputMoments
    fit : WeightFit
        No scale is 0.
    steps : Steps
    """
    centroids, gram = fit.codebook.astype(np.float32), moments.gram
    z, index = _in_scales(w, fit.scale), fit.index.copy()
    if not steps.sweeps:
        return fit.scale, _start(z, gram, centroids, steps)
    more = better_scales(z, gram, centroids, index)
    for _ in range(steps.last_sweeps):
        if descend(z / more, gram, centroids, index) < SETTLED * index.size:
            break
    return fit.scale * more, index


def come_to_rest(w: FloatArray, moments: InputMoments, fit: WeightFit, steps: Steps) -> Indices:
    """Return indices for scales and a codebook that are final, rounding included."""
    index = fit.index.copy()
    if steps.sweeps:
        descend(_in_scales(w, fit.scale), moments.gram, fit.codebook.astype(np.float32), index)
    return index


def _start(z: Matrix, gram: Matrix, codebook: Matrix, steps: Steps) -> Indices:
    if steps.feedback:
        return error_feedback(z, gram, codebook)
    return nearest(z, codebook.astype(np.float64)).astype(np.uint8)


def _in_scales(w: FloatArray, scale: FloatArray) -> Matrix:
    return (w / scale).astype(np.float32)
