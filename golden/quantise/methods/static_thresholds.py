"""The paper's quantiser with outliers beyond fixed thresholds, which it compares its own with.

Codebooks, scales and weights are the paper's, see
:func:`golden.quantise.recipes.weights.paper_weights`. What is beyond two thresholds, found offline
so that on calibration tokens as many values are as each token would have outliers, is exact. How
many a token has is not known before: hardware must wait for the last one, or make room for the most
there can be.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.exact import fp16
from golden.exact.codebook import FloatArray, fit_codebook, nearest
from golden.exact.outliers import outliers_per_side
from golden.exact.token_scale import ScaleFactor, token_scale
from golden.quantise.activation_fit import SeenTokens, fit_activations, see
from golden.quantise.methods.layer import Array, FakeQuantized
from golden.quantise.recipes.moments import input_moments
from golden.quantise.recipes.weights import paper_weights


@dataclass(frozen=True)
class StaticInputs:
    """Reads tokens with fixed thresholds.

    Parameters
    ----------
    low, high : float
        In token scales; what is below or above is exact, as is what equals them.
    codebook : (2**n_A,) float64
        In token scales.
    factor : ScaleFactor
        Makes the token scale.
    """

    low: float
    high: float
    codebook: FloatArray
    factor: ScaleFactor

    def __call__(self, x: Array) -> npt.NDArray[np.float64]:
        """Return what a layer reads of tokens (T, K)."""
        bits = fp16.to_bits(x)
        scale = token_scale(bits, self.factor).value()[:, None]
        return self.values(bits.view(np.float16) / scale) * scale

    def values(self, ratio: FloatArray) -> FloatArray:
        """Return values in token scales as they are read."""
        return np.where(self.beyond(ratio), ratio, self.codebook[nearest(ratio, self.codebook)])

    def beyond(self, ratio: FloatArray) -> npt.NDArray[np.bool_]:
        """Return which values in token scales are exact."""
        return (ratio <= self.low) | (ratio >= self.high)


def static_inputs(
    known: SeenTokens, factor: ScaleFactor, bits: int, *, symmetric: bool, k_top: int
) -> StaticInputs:
    """Return thresholds and codebook for tokens like the known ones."""
    low, high = thresholds(known.ratio, k_top)
    inlier = known.ratio[(known.ratio > low) & (known.ratio < high)]
    # Tokens of outliers alone (K = 1, say) still need a codebook.
    values = inlier if inlier.size else known.ratio.ravel()
    return StaticInputs(low, high, fit_codebook(values, bits, symmetric=symmetric), factor)


def thresholds(ratio: FloatArray, k_top: int) -> tuple[float, float]:
    """Return what cuts off ``k_top`` values a token on each side, in the mean of tokens (T, K)."""
    count = k_top * len(ratio)
    if not count:
        return -np.inf, np.inf
    ranked = np.sort(ratio, axis=None)
    return float(ranked[count - 1]), float(ranked[-count])


def prepare_static(
    weight: Array,
    bias: Array,
    calibration: Array,
    *,
    bits_w: int,
    bits_a: int,
    seed: int,
    symmetric: bool = False,
    outlier_share: float = 0.005,
) -> FakeQuantized:
    """Return the paper's layer with static thresholds, in float32 beside exact indices."""
    del seed  # nothing is random
    k_top = outliers_per_side(len(weight), outlier_share)
    x = fp16.to_bits(calibration)
    fit = fit_activations(x, bits_a, symmetric=symmetric, k_top=k_top)
    known = see(x, fit, k_top)
    inputs = static_inputs(known, fit.factor, bits_a, symmetric=symmetric, k_top=k_top)
    moments = input_moments(known, fit.codebook)
    found = paper_weights(weight.astype(np.float64), moments, bits_w, symmetric=symmetric)
    rows = (found.codebook[found.index] * found.scale).T.astype(np.float32)
    return FakeQuantized(rows, bias, inputs)
