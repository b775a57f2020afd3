"""Encoders for the chip in a safetensors file: linear layers and the formats of the cache.

Of MiniLM, embeddings and norms are those of its own file, rounded to FP16, so they are not kept
here. The file of another model is *whole*: it has them, too, and the sizes.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from golden.base.errors import InputError
from golden.chip.decoder_file import cache_form, cache_numbers
from golden.chip.encoder import LINEARS, Encoder, EncoderLayer, EncoderShape, Norm
from golden.chip.encoder_fit import layer_norms, whole_encoder
from golden.exact.fp16 import BitArray
from golden.models.minilm import MiniLM
from golden.quantise.layer_container import container, read_layer

FORMS = ("keys", "values")
NORMS = ("attended", "fed")
PARTS = ("gain", "shift")  # of a norm
FACTS = "encoder"  # a tensor of bytes: JSON


def encoder_bytes(encoder: Encoder, made_by: Mapping[str, object], *, whole: bool = False) -> bytes:
    """Return the file of an encoder; ``made_by`` says to people what it was made with."""
    beside: dict[str, npt.NDArray[Any]] = {
        f"layers.{n}.{name}": cache_numbers(getattr(layer, name))
        for n, layer in enumerate(encoder.layers)
        for name in FORMS
    }
    if whole:
        beside |= _others(encoder)
    return container(encoder.linears(), made_by, beside)


def _others(encoder: Encoder) -> dict[str, npt.NDArray[Any]]:
    """Return what else a whole file has."""
    facts = asdict(encoder.shape) | {
        "score_outliers": encoder.score_outliers,
        "mix_outliers": encoder.mix_outliers,
    }
    norms = {"norm": encoder.norm} | {
        f"layers.{n}.{name}": getattr(layer, name)
        for n, layer in enumerate(encoder.layers)
        for name in NORMS
    }
    halves = {f"{at}.{part}": getattr(norm, part) for at, norm in norms.items() for part in PARTS}
    halves |= {"words": encoder.words, "places": encoder.places}
    found: dict[str, npt.NDArray[Any]] = {
        name: bits.view(np.float16) for name, bits in halves.items()
    }
    return found | {FACTS: np.frombuffer(json.dumps(facts).encode(), np.uint8)}


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
            layers = [
                _layer(path, file, n, layer_norms(model, n)) for n in range(model.config.layers)
            ]
        return whole_encoder(model, tuple(layers))
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} holds no MiniLM in the chip's numbers: {error}") from error


def read_whole_encoder(path: Path) -> Encoder:
    """Return the encoder of a whole file; raises as :func:`read_encoder`."""
    if not path.is_file():
        raise InputError(f"{path} is not a file; expected an encoder in the chip's numbers")
    try:
        with safe_open(path, framework="numpy") as file:
            facts = json.loads(file.get_tensor(FACTS).tobytes())
            outliers = {name: facts.pop(name) for name in ("score_outliers", "mix_outliers")}
            shape = EncoderShape(**facts)
            layers = []
            for n in range(shape.layers):
                attended, fed = (_norm(file, f"layers.{n}.{name}") for name in NORMS)
                layers.append(_layer(path, file, n, (attended, fed)))
            return Encoder(
                shape=shape,
                words=_bits(file, "words"),
                places=_bits(file, "places"),
                norm=_norm(file, "norm"),
                layers=tuple(layers),
                **outliers,
            )
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} holds no encoder in the chip's numbers: {error}") from error


def _layer(path: Path, file: Any, n: int, norms: tuple[Norm, Norm]) -> EncoderLayer:
    keys, values = (cache_form(file.get_tensor(f"layers.{n}.{name}")) for name in FORMS)
    return EncoderLayer(
        **{name: read_layer(path, f"layers.{n}.{name}") for name in LINEARS},
        keys=keys,
        values=values,
        attended=norms[0],
        fed=norms[1],
    )


def _norm(file: Any, name: str) -> Norm:
    return Norm(**{part: _bits(file, f"{name}.{part}") for part in PARTS})


def _bits(file: Any, name: str) -> BitArray:
    return file.get_tensor(name).view(np.uint16)
