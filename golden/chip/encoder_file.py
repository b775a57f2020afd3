"""MiniLM for the chip in a safetensors file: linear layers and the formats of the cache.

Embeddings and norms are those of MiniLM's own file, rounded to FP16, so they are not kept here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from golden.base.errors import InputError
from golden.chip.decoder_file import cache_form, cache_numbers
from golden.chip.encoder import LINEARS, Encoder, EncoderLayer
from golden.chip.encoder_fit import layer_norms, whole_encoder
from golden.exact.cache_codes import CacheFormat
from golden.models.minilm import LAYERS, MiniLM
from golden.quantise.layer_container import container, read_layer

FORMS = ("keys", "values")


def encoder_bytes(encoder: Encoder, made_by: Mapping[str, object]) -> bytes:
    """Return the file of an encoder; ``made_by`` says to people what it was made with."""
    beside: dict[str, npt.NDArray[Any]] = {
        f"layers.{n}.{name}": cache_numbers(getattr(layer, name))
        for n, layer in enumerate(encoder.layers)
        for name in FORMS
    }
    return container(encoder.linears(), made_by, beside)


def read_encoder(path: Path, model: MiniLM) -> Encoder:
    """Return the encoder of a file that :func:`encoder_bytes` made, and of MiniLM's own.

    Raises
    ------
    InputError
        If there is no such file, or anything in it is not as it must be.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file; expected MiniLM in the chip's numbers")
    try:
        with safe_open(path, framework="numpy") as file:
            forms = {
                (n, name): cache_form(file.get_tensor(f"layers.{n}.{name}"))
                for n in range(LAYERS)
                for name in FORMS
            }
        return whole_encoder(model, tuple(_layer(path, n, forms, model) for n in range(LAYERS)))
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} holds no MiniLM in the chip's numbers: {error}") from error


def _layer(
    path: Path, n: int, forms: Mapping[tuple[int, str], CacheFormat], model: MiniLM
) -> EncoderLayer:
    attended, fed = layer_norms(model, n)
    return EncoderLayer(
        **{name: read_layer(path, f"layers.{n}.{name}") for name in LINEARS},
        keys=forms[n, "keys"],
        values=forms[n, "values"],
        attended=attended,
        fed=fed,
    )
