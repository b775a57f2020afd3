"""A decoder in a safetensors file: its linear layers, and beside them what else it has."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from golden.base.errors import InputError
from golden.chip.decoder import LINEARS, Decoder, DecoderLayer, DecoderShape
from golden.exact.cache_codes import CacheFormat
from golden.exact.token_scale import ScaleFactor
from golden.quantise.layer_container import container, read_layer

FACTS = "decoder"  # a tensor of bytes: JSON


def decoder_bytes(decoder: Decoder, made_by: Mapping[str, object]) -> bytes:
    """Return the file of a decoder; ``made_by`` says to people what it was made with."""
    layers = decoder.linears()
    beside: dict[str, npt.NDArray[Any]] = {"embedding": decoder.embedding.view(np.float16)}
    for n, layer in enumerate(decoder.layers):
        beside[_name(n, "key_offset")] = layer.key_offset.view(np.float16)
        for name, form in (("keys", layer.keys), ("values", layer.values)):
            beside[_name(n, name)] = cache_numbers(form)
    facts = asdict(decoder.shape) | {
        "score_outliers": decoder.score_outliers,
        "mix_outliers": decoder.mix_outliers,
        "head_parts": len(decoder.head),
    }
    beside[FACTS] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    return container(layers, made_by, beside)


def read_decoder(path: Path) -> Decoder:
    """Return the decoder of a file that :func:`decoder_bytes` made.

    Raises
    ------
    InputError
        If there is no such file, or anything in it is not as it must be.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file; expected a decoder in the chip's numbers")
    try:
        with safe_open(path, framework="numpy") as file:
            others = {
                name: file.get_tensor(name)
                for name in file.keys()
                if name.split(".")[-1] in (FACTS, "embedding", "key_offset", "keys", "values")
            }
        facts = json.loads(others[FACTS].tobytes())
        outliers = {name: facts.pop(name) for name in ("score_outliers", "mix_outliers")}
        parts = facts.pop("head_parts")
        shape = DecoderShape(**facts)
        return Decoder(
            shape=shape,
            embedding=others["embedding"].view(np.uint16),
            layers=tuple(_layer(path, n, others) for n in range(shape.layers)),
            head=tuple(read_layer(path, f"head.{n}") for n in range(parts)),
            **outliers,
        )
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} holds no decoder in the chip's numbers: {error}") from error


def _layer(path: Path, n: int, others: Mapping[str, npt.NDArray[Any]]) -> DecoderLayer:
    return DecoderLayer(
        **{name: read_layer(path, _name(n, name)) for name in LINEARS},
        key_offset=others[_name(n, "key_offset")].view(np.uint16),
        keys=cache_form(others[_name(n, "keys")]),
        values=cache_form(others[_name(n, "values")]),
    )


def cache_numbers(form: CacheFormat) -> npt.NDArray[np.int32]:
    """Return the format of a cache as numbers: those of the factor, thresholds, centroids."""
    factor = np.array([form.factor.mantissa, form.factor.exponent])
    return np.concatenate([factor, form.thresholds, form.centroids]).astype(np.int32)


def cache_form(numbers: npt.NDArray[np.int32]) -> CacheFormat:
    """Return the format of a cache of its numbers."""
    whole = numbers.astype(np.int64)
    factor = ScaleFactor(int(whole[0]), int(whole[1]))
    return CacheFormat(factor, whole[2:9], whole[9:17])


def _name(n: int, part: str) -> str:
    return f"layers.{n}.{part}"
