"""SmoothQuant: part of the activations' spread is moved into the weights.

After Xiao et al., "SmoothQuant: Accurate and Efficient Post-Training Quantization for Large
Language Models" (arXiv 2211.10438): input channel j is divided by
``max|x_j|**alpha / max|w_j|**(1 - alpha)`` and its weights are multiplied by it; then both are
rounded to nearest, activations per token, weights per output channel. Where the layer follows a
norm the division is part of the norm's gain.
"""

from collections.abc import Sequence

import numpy as np

from golden.base.errors import InputError
from golden.quantise.methods.grid import Floats, quantize_rows
from golden.quantise.methods.layer import Array, FakeQuantized
from golden.quantise.methods.rtn import prepare_rtn

ALPHAS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)  # the paper looks for the best, too
SMALLEST = 1e-5
SEARCH_TOKENS = 1024


def migration_scales(weights: Sequence[Floats], calibration: Floats, alpha: float) -> Floats:
    """Return the scale (K,) of each input channel.

    Parameters
    ----------
    weights : sequence of (K, N) float
        Of all layers that read the same input.
    calibration : (T, K) float
        Typical inputs.
    alpha : float
        How much of the spread moves to the weights, 0 to 1.

    Raises
    ------
    InputError
        If alpha is out of range.
    """
    if not 0 <= alpha <= 1:
        raise InputError(f"alpha must be from 0 to 1, got {alpha}")
    of_inputs = np.maximum(np.abs(calibration).max(axis=0), SMALLEST)
    of_weights = np.maximum(np.max([np.abs(w).max(axis=1) for w in weights], axis=0), SMALLEST)
    return np.maximum(of_inputs**alpha / of_weights ** (1 - alpha), SMALLEST)


def best_scales(weights: Sequence[Array], calibration: Array, *, bits_w: int, bits_a: int) -> Array:
    """Return the migration scales (K,) of that alpha whose layers err least on calibration."""
    x = calibration[:: max(1, len(calibration) // SEARCH_TOKENS)]
    exact = [x @ w for w in weights]
    best, least = np.ones(x.shape[1], np.float32), np.inf
    for alpha in ALPHAS:
        scales = migration_scales(weights, calibration, alpha).astype(np.float32)
        read = quantize_rows(x / scales, bits_a)
        error = sum(
            float(((read @ quantize_rows((w * scales[:, None]).T, bits_w).T - y) ** 2).sum())
            for w, y in zip(weights, exact, strict=True)
        )
        if error < least:
            best, least = scales, error
    return best


def prepare_smoothquant(
    weight: Array, bias: Array, calibration: Array, *, bits_w: int, bits_a: int, seed: int
) -> FakeQuantized:
    """Return the smoothed layer, rounded to nearest; it divides its own inputs."""
    scales = best_scales([weight], calibration, bits_w=bits_w, bits_a=bits_a)
    inner = prepare_rtn(
        weight * scales[:, None], bias, calibration, bits_w=bits_w, bits_a=bits_a, seed=seed
    )
    return FakeQuantized(inner.weight, bias, lambda x: inner.activation(x / scales))
