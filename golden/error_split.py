"""Where a quantised layer's error comes from: the codebooks, or the integers of the product table."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.fp16 import BitArray
from golden.linear import QuantizedLinear, forward, reference


@dataclass(frozen=True, kw_only=True)
class ErrorSplit:
    """Root mean squares over tokens and output channels.

    Parameters
    ----------
    output : float
        Of the FP32 layer's outputs.
    quantisation : float
        Of the same quantised layer in float64 minus the FP32 layer.
    arithmetic : float
        Of the integer engine minus the quantised layer in float64.
    """

    output: float
    quantisation: float
    arithmetic: float

    @property
    def ratio(self) -> float:
        """Arithmetic error over quantisation error; infinite where nothing was lost by the codebooks."""
        return self.arithmetic / self.quantisation if self.quantisation else float("inf")


def split_errors(
    layer: QuantizedLinear,
    weight: npt.NDArray[np.floating],
    bias: npt.NDArray[np.floating],
    x: BitArray,
) -> ErrorSplit:
    """Run the layer on FP16 tokens ``x`` (T, K) and split its error."""
    result = forward(layer, x)
    ideal = x.view(np.float16).astype(np.float64) @ weight.astype(np.float64) + bias
    quantised = reference(layer, x, result)
    engine = result.y.view(np.float16).astype(np.float64)
    return ErrorSplit(
        output=_rms(ideal),
        quantisation=_rms(quantised - ideal),
        arithmetic=_rms(engine - quantised),
    )


def _rms(values: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt((values**2).mean()))
