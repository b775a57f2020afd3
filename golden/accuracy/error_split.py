"""Where a quantised layer's error comes from: its codebooks, or the integers of its table."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear, Result, forward, reference
from golden.exact.mac import GROUP
from golden.exact.spec import IntArray
from golden.models.layer_source import LayerSource
from golden.quantise.methods.rtn import prepare_rtn
from golden.quantise.quantize import quantize_linear

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class ErrorSplit:
    """Root mean squares over tokens and output channels.

    Parameters
    ----------
    output : float
        Of the FP32 layer's outputs without bias and mean: what tells tokens apart.
    quantisation : float
        Of the quantised layer evaluated in float64 minus the FP32 layer.
    arithmetic : float
        Of the engine's outputs minus the quantised layer evaluated in float64.
    int_per_token, int_groups : float
        Of integer round-to-nearest with the same bits minus the FP32 layer: with a scale per
        token and output channel, and in groups of 128 inputs.
    """

    output: float
    quantisation: float
    arithmetic: float
    int_per_token: float
    int_groups: float

    @property
    def ratio(self) -> float:
        """Arithmetic over quantisation error; infinite where the codebooks lost nothing."""
        return self.arithmetic / self.quantisation if self.quantisation else float("inf")

    def relative(self) -> dict[str, float]:
        """Return the errors over the centred outputs' root mean square, ready for JSON."""
        unit = self.output or 1.0
        return {
            "quantisation": self.quantisation / unit,
            "int_per_token": self.int_per_token / unit,
            "int_groups_of_128": self.int_groups / unit,
            "arithmetic": self.arithmetic / unit,
            "arithmetic_over_quantisation": self.ratio,
        }


def split_errors(
    layer: QuantizedLinear, source: LayerSource, result: Result | None = None
) -> ErrorSplit:
    """Split the error of a quantised layer.

    Parameters
    ----------
    layer : QuantizedLinear
    source : LayerSource
        What was quantised, and the tokens to measure on.
    result : Result, optional
        What :func:`golden.exact.linear.forward` makes of them, if it is known already.
    """
    x, weight, bias = source.x, source.weight, source.bias
    result = result or forward(layer, x)
    ideal = exact_linear(weight, bias, x)
    quantised = reference(layer, x, result)
    engine = result.y.view(np.float16).astype(np.float64)
    bits: dict[str, Any] = {
        "bits_w": _bits(layer.w_centroids),
        "bits_a": _bits(layer.a_centroids),
        "seed": 0,
    }
    tokens, real = (v.astype(np.float32) for v in (x.view(np.float16), weight))
    shift = bias.astype(np.float32)
    per_token, grouped = (
        rms(prepare_rtn(real, shift, real[:0], group=group, **bits)(tokens) - ideal)
        for group in (None, GROUP)
    )
    return ErrorSplit(
        output=rms(ideal - _centre(source, ideal)),
        quantisation=rms(quantised - ideal),
        arithmetic=rms(engine - quantised),
        int_per_token=per_token,
        int_groups=grouped,
    )


def _centre(source: LayerSource, ideal: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return bias and mean (N,) of the outputs in calibration, or of these where it is not known.

    One token has no mean of its own.
    """
    known = source.calibration
    if len(known):
        return known.mean(axis=0, dtype=np.float64) @ source.weight + source.bias
    return ideal.mean(axis=0) if len(ideal) > 1 else source.bias.astype(np.float64)


def _bits(centroids: IntArray) -> int:
    return (len(centroids) - 1).bit_length()


def exact_linear(weight: Floats, bias: Floats, x: BitArray) -> npt.NDArray[np.float64]:
    """Return ``x @ weight + bias`` in float64, for FP16 tokens (T, K)."""
    return x.view(np.float16).astype(np.float64) @ weight.astype(np.float64) + bias


def rms(values: npt.NDArray[np.floating]) -> float:
    """Return the root mean square."""
    return float(np.sqrt((values**2).mean()))


def study(layers: Iterable[LayerSource], **options: Any) -> Iterator[tuple[str, ErrorSplit]]:
    """Quantise layer after layer and yield the name and the errors of each.

    Parameters
    ----------
    layers : iterable of LayerSource
        :func:`golden.models.layer_source.model_layers`, say.
    **options
        As for :func:`golden.quantise.quantize.quantize_linear`.
    """
    for source in layers:
        layer = quantize_linear(source.weight, source.bias, source.calibration, **options)
        yield source.name, split_errors(layer, source)
