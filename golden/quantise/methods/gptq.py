"""GPTQ: quantise a weight matrix column by column, later columns making up for earlier errors.

After Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained
Transformers" (arXiv 2210.17323) and its published code: columns in order, the inverse Hessian's
Cholesky factor, damping by 1 % of the mean diagonal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.quantise.methods.grid import Floats, to_grid

DAMPING = 0.01
BLOCK = 128

FitScale = Callable[[Floats, int], Floats]


@dataclass(frozen=True)
class Group:
    """Neighbouring input channels that share a scale per output channel, and their bits.

    Parameters
    ----------
    start, stop : int
        The channels from ``start`` up to ``stop``.
    bits : int
        2 to 8.
    """

    start: int
    stop: int
    bits: int


def groups_of(inputs: int, bits: int, size: int | None = None) -> list[Group]:
    """Part ``inputs`` channels in groups; the last may be shorter. One group by default."""
    size = size or inputs
    return [Group(at, min(at + size, inputs), bits) for at in range(0, inputs, size)]


def gptq(
    weight: Floats,
    calibration: Floats,
    groups: Sequence[Group],
    fit_scale: FitScale,
) -> npt.NDArray[np.float64]:
    """Return the quantised weights, as real values.

    Parameters
    ----------
    weight : (N, K) float
        One row an output channel.
    calibration : (T, K) float
        Typical inputs.
    groups : sequence of Group
        In order, covering all K channels. A group's scales are fitted when its first column's
        turn comes, to the weights as they then are.
    fit_scale : callable
        Weights (N, group) and bits to scales (N, 1).

    Returns
    -------
    (N, K) float64
    """
    x = calibration.astype(np.float64)
    factor, dead = _inverse_factor(x.T @ x / len(x))
    w = weight.astype(np.float64)
    w[:, dead] = 0
    quantised = np.empty_like(w)
    for group in groups:
        scale = fit_scale(w[:, group.start : group.stop], group.bits)
        for start in range(group.start, group.stop, BLOCK):
            stop = min(start + BLOCK, group.stop)
            errors = np.empty((len(w), stop - start))
            for k in range(start, stop):
                quantised[:, k] = to_grid(w[:, k], scale[:, 0], group.bits)
                errors[:, k - start] = (w[:, k] - quantised[:, k]) / factor[k, k]
                w[:, k:stop] -= np.outer(errors[:, k - start], factor[k, k:stop])
            w[:, stop:] -= errors @ factor[start:stop, stop:]
    return quantised


def nearest(weight: Floats, groups: Sequence[Group], fit_scale: FitScale) -> Floats:
    """Return the weights rounded to nearest, with the same groups and scales; (N, K)."""
    parts = [weight[:, g.start : g.stop] for g in groups]
    rounded = [
        to_grid(part, fit_scale(part, g.bits), g.bits)
        for part, g in zip(parts, groups, strict=True)
    ]
    return np.concatenate(rounded, axis=1)


def _inverse_factor(
    moments: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return upper triangular U with U^T U the inverse of the damped moments, and dead inputs."""
    moments = moments.copy()
    dead = np.diag(moments) == 0
    moments[dead, dead] = 1
    moments[np.diag_indices_from(moments)] += DAMPING * np.diag(moments).mean()
    return np.linalg.cholesky(np.linalg.inv(moments)).T.astype(np.float64), np.asarray(dead)
