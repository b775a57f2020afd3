"""Where a quantised layer's error comes from: its codebooks, or the integers of its table."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.fp16 import BitArray
from golden.layer_source import LayerSource
from golden.linear import QuantizedLinear, Result, forward, reference
from golden.quantize import quantize_linear

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class ErrorSplit:
    """Root mean squares over tokens and output channels.

    Parameters
    ----------
    output : float
        Of the FP32 layer's outputs, bias included.
    quantisation : float
        Of the quantised layer evaluated in float64 minus the FP32 layer.
    arithmetic : float
        Of the engine's outputs minus the quantised layer evaluated in float64.
    """

    output: float
    quantisation: float
    arithmetic: float

    @property
    def ratio(self) -> float:
        """Arithmetic over quantisation error; infinite where the codebooks lost nothing."""
        return self.arithmetic / self.quantisation if self.quantisation else float("inf")

    @property
    def relative_quantisation(self) -> float:
        """Quantisation error over the outputs' RMS; 0 where there is no output."""
        return self.quantisation / self.output if self.output else 0.0

    @property
    def relative_arithmetic(self) -> float:
        """Arithmetic error over the outputs' RMS; 0 where there is no output."""
        return self.arithmetic / self.output if self.output else 0.0


def split_errors(
    layer: QuantizedLinear,
    weight: Floats,
    bias: Floats,
    x: BitArray,
    result: Result | None = None,
) -> ErrorSplit:
    """Split the error of a quantised layer.

    Parameters
    ----------
    layer : QuantizedLinear
    weight : (K, N) float
        What was quantised.
    bias : (N,) float
    x : (T, K) uint16
        Finite FP16 tokens.
    result : Result, optional
        What :func:`golden.linear.forward` makes of ``x``, if it is known already.
    """
    result = result or forward(layer, x)
    ideal = exact_linear(weight, bias, x)
    quantised = reference(layer, x, result)
    engine = result.y.view(np.float16).astype(np.float64)
    return ErrorSplit(
        output=rms(ideal), quantisation=rms(quantised - ideal), arithmetic=rms(engine - quantised)
    )


def exact_linear(weight: Floats, bias: Floats, x: BitArray) -> npt.NDArray[np.float64]:
    """Return ``x @ weight + bias`` in float64, for FP16 tokens (T, K)."""
    return x.view(np.float16).astype(np.float64) @ weight.astype(np.float64) + bias


def rms(values: npt.NDArray[np.floating]) -> float:
    """Return the root mean square."""
    return float(np.sqrt((values**2).mean()))


def study(
    layers: Iterable[LayerSource],
    *,
    weight_bits: int = 4,
    activation_bits: int = 4,
    symmetric: bool = False,
    outlier_share: float = 0.005,
    magnitude_bits: int | None = None,
) -> Iterator[tuple[str, ErrorSplit]]:
    """Quantise layer after layer and yield the name and the errors of each.

    Parameters
    ----------
    layers : iterable of LayerSource
        :func:`golden.layer_source.minilm_layers`, say.
    weight_bits, activation_bits, symmetric, outlier_share, magnitude_bits
        As for :func:`golden.quantize.quantize_linear`.
    """
    for source in layers:
        layer = quantize_linear(
            source.weight,
            source.bias,
            source.calibration,
            weight_bits=weight_bits,
            activation_bits=activation_bits,
            symmetric=symmetric,
            outlier_share=outlier_share,
            magnitude_bits=magnitude_bits,
        )
        yield source.name, split_errors(layer, source.weight, source.bias, source.x)
