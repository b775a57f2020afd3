"""Outliers by fixed thresholds, and codebooks fitted to each token: what this project does not do.

The paper compares both with what it does, the largest and smallest of each token and one codebook
per layer. Everything here is evaluated in float64 on the inputs of MiniLM's layers.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.exact import fp16
from golden.exact.codebook import FloatArray, fit_codebook, nearest
from golden.exact.outliers import outliers_per_side
from golden.models.layer_source import LayerSource
from golden.quantise.activation_fit import SeenTokens, fit_activations, see
from golden.quantise.methods.static_thresholds import static_inputs

Measure = Callable[[FloatArray], FloatArray]
TINY = 1e-12  # a token of zeros has a scale, too


@dataclass(frozen=True)
class InputErrors:
    """Root mean squares of what quantisation changes in a layer's inputs, over the inputs'.

    Parameters
    ----------
    dynamic : float
        The largest and smallest of each token exact, one codebook per layer times the token scale.
    static : float
        What is beyond two thresholds exact, chosen so that on calibration tokens the same share
        is; the codebook is fitted to the others.
    static_share : float
        Which share that is on the tokens measured, both sides together.
    online : float
        As dynamic, but a codebook fitted to each token.
    rms_scale, largest_scale : float
        As dynamic, but the token scale is the root mean square of the token, or its largest
        magnitude, instead of the mean one. A constant factor makes no difference to any of them:
        the codebook takes it in.
    """

    dynamic: float
    static: float
    static_share: float
    online: float
    rms_scale: float
    largest_scale: float


def input_errors(
    source: LayerSource, bits: int, *, symmetric: bool, outlier_share: float
) -> InputErrors:
    """Return the errors of one layer's inputs.

    Parameters
    ----------
    source : LayerSource
        Calibration tokens to fit to, others to measure on.
    bits : int
        Of an activation index.
    symmetric : bool
    outlier_share : float
        On each side.
    """
    k_top = outliers_per_side(source.weight.shape[0], outlier_share)
    calibration = fp16.to_bits(source.calibration)
    fit = fit_activations(calibration, bits, symmetric=symmetric, k_top=k_top)
    known, seen = see(calibration, fit, k_top), see(source.x, fit, k_top)
    static = static_inputs(known, fit.factor, bits, symmetric=symmetric, k_top=k_top)

    def scaled(measure: Measure) -> float:
        """Return the error with another token scale, and its codebook."""
        values = known.ratio / measure(known.ratio)
        codebook = fit_codebook(values[~known.outlier], bits, symmetric=symmetric)
        scale = measure(seen.ratio)
        read = scale * codebook[nearest(seen.ratio / scale, codebook)]
        return _relative(seen, np.where(seen.outlier, seen.ratio, read))

    return InputErrors(
        dynamic=_relative(seen, seen.values(fit.codebook)),
        static=_relative(seen, static.values(seen.ratio)),
        static_share=float(static.beyond(seen.ratio).mean()),
        online=_relative(seen, _online(seen, bits, symmetric=symmetric)),
        rms_scale=scaled(_root_mean_square),
        largest_scale=scaled(_largest),
    )


def _root_mean_square(ratio: FloatArray) -> FloatArray:
    return np.sqrt((ratio**2).mean(axis=1, keepdims=True)) + TINY


def _largest(ratio: FloatArray) -> FloatArray:
    return np.abs(ratio).max(axis=1, keepdims=True) + TINY


def _online(seen: SeenTokens, bits: int, *, symmetric: bool) -> FloatArray:
    """Return the tokens in codebooks of their own."""
    values = seen.ratio.copy()
    for row, kept in zip(values, seen.outlier, strict=True):
        own = fit_codebook(row[~kept], bits, symmetric=symmetric)
        row[~kept] = own[nearest(row[~kept], own)]
    return values


def _relative(seen: SeenTokens, values: npt.NDArray[np.float64]) -> float:
    """Return the error over the inputs, each token counted by its own scale."""
    return float(np.sqrt(((values - seen.ratio) ** 2).mean() / (seen.ratio**2).mean()))
