"""What K-Means must beat: round-to-nearest on a uniform grid, per token or in groups."""

import numpy as np
import numpy.typing as npt

from golden.exact.codebook import FloatArray, require_index_bits
from golden.exact.fp16 import BitArray
from golden.quantise.methods.grid import quantize_rows


def round_to_nearest(
    values: npt.NDArray[np.floating], bits: int, group: int | None = None
) -> FloatArray:
    """Quantise each row (or each group of a row) to a uniform grid and return its real values.

    The grid is symmetric: ``-q`` to ``q`` times a scale, q = 2**(bits-1) - 1, so -7 to 7 for
    INT4; the largest magnitude of the row or group becomes q. Halves go to the even neighbour.

    Parameters
    ----------
    values : (R, K) float
    bits : int
        2, 3 or 4.
    group : int, optional
        How many neighbours share a scale; the last group may be shorter. All of K by default.

    Returns
    -------
    (R, K) float64
    """
    require_index_bits("bits", bits)
    return quantize_rows(values.astype(np.float64), bits, group=group).astype(np.float64)


def int_linear(
    weight: npt.NDArray[np.floating],
    bias: npt.NDArray[np.floating],
    x: BitArray,
    *,
    weight_bits: int = 4,
    activation_bits: int = 4,
    group: int | None = None,
) -> FloatArray:
    """Return a linear layer's outputs (T, N) with both operands rounded to nearest.

    Activations have a scale per token, weights one per output channel; with ``group``, one per
    that many input channels of either. Scales and sums are float64: nothing else is lost.

    Parameters
    ----------
    weight : (K, N) float
    bias : (N,) float
    x : (T, K) uint16
        Finite FP16 patterns.
    weight_bits, activation_bits : int
        2, 3 or 4.
    group : int, optional
        128, as a rule.
    """
    tokens = round_to_nearest(x.view(np.float16), activation_bits, group)
    return tokens @ round_to_nearest(weight.T, weight_bits, group).T + bias
