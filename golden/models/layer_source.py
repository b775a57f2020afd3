"""A linear layer with tokens to run: from a model, or (:mod:`golden.models.layer_files`) files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from golden.base.errors import InputError
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear
from golden.models.model import require_layers
from golden.models.table import require_model
from golden.quantise.quantize import to_fp16

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class LayerSource:
    """A linear layer in full precision and tokens for it. Calibration never sees ``x``.

    Parameters
    ----------
    name : str
        What it is called where it comes from.
    weight : (K, N) float
        Finite.
    bias : (N,) float
        Zeros where the layer has none.
    calibration : (T', K) float
        Tokens to fit codebooks on.
    x : (T, K) uint16
        Tokens to run, FP16 patterns, finite.
    layer : QuantizedLinear, optional
        The same layer as it was quantised before; by default it is yet to be.
    """

    name: str
    weight: Floats
    bias: Floats
    calibration: Floats
    x: BitArray
    layer: QuantizedLinear | None = None


def model_layer(
    name: str,
    tokens: int,
    text_file: Path | None = None,
    seed: int = 0,
    model: str = "minilm",
    *,
    tuning: bool = False,
) -> LayerSource:
    """Return one layer as :func:`model_layers` does."""
    return next(model_layers([name], tokens, text_file, seed, model, tuning=tuning))


def model_layers(
    names: Sequence[str],
    tokens: int,
    text_file: Path | None = None,
    seed: int = 0,
    model: str = "minilm",
    *,
    tuning: bool = False,
) -> Iterator[LayerSource]:
    """Yield layers of a model, each with the activations that it sees in text.

    Parameters
    ----------
    names : sequence of str
        Such as ``encoder.layer.0.attention.self.query``.
    tokens : int
        How many to run: the first of the text.
    text_file : Path, optional
        Text to run; by default text that nothing is calibrated on, and nothing was chosen on.
        Calibration always uses the model's own, without what stands in the file too.
    seed : int
        Chooses the text.
    model : str
        A name in :data:`golden.models.table.MODELS`.
    tuning : bool
        Whether to run the text that methods are chosen on, and not text new to them.

    Raises
    ------
    InputError
        If there is no such model or layer, or the text has too few tokens.
    """
    known = require_model(model)
    require_layers(model, known.layer_names(), names)
    require_tokens(tokens)
    whole = known.load()
    text = whole.text_to_run(seed, tokens, text_file, tuning=tuning)
    seen = whole.activations(names, text)
    calibration = whole.activations(names, whole.calibration_text(seed, text))
    for name in names:
        weight, bias = whole.weights(name)
        x = to_fp16(f"activations of {name}", seen[name][:tokens])
        yield LayerSource(name=name, weight=weight, bias=bias, calibration=calibration[name], x=x)


def require_tokens(tokens: int) -> None:
    """Raise InputError unless there is at least one token to run."""
    if tokens < 1:
        raise InputError(f"the number of tokens must be at least 1, got {tokens}")
