"""Quantised layers in a safetensors file: indices two to a byte, codebooks, scales, bias.

Each layer has eight tensors, ``NAME.w_index`` and so on (``DTYPES`` has them), one more where
activations are snapped to levels, and an entry in the metadata's ``layers``, which is JSON.
Whatever a file holds, what is read of it is a layer that the engines can run, or an
:class:`InputError`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from golden.base.errors import InputError
from golden.base.names import lookup
from golden.exact.levels import Levels
from golden.exact.linear import QuantizedLinear
from golden.exact.spec import FACTOR_BITS, SCALE_BITS, NumberSpec
from golden.exact.token_scale import Scale, ScaleFactor

FORMAT, VERSION = "kllm", "2"
DTYPES = {
    "w_index": "U8",  # (ceil(K * N / 2),): row after row of (K, N), the first in the low four bits
    "a_centroids": "I16",
    "w_centroids": "I16",
    "product_table": "I16",
    "scale_mantissa": "U16",
    "scale_exponent": "I8",
    "bias": "F16",
    "bias_offset": "F64",
}
SNAPPED = {"levels": "U8"}  # (2, 8) or (2, 16): where each begins, and what it is
FACTS = (
    *("inputs", "outputs", "symmetric", "magnitude_bits", "activation_bits"),
    *("k_top", "factor_mantissa", "factor_exponent"),
)
# Inputs and outputs: sums stay far below 2**53, and no file makes the reader fill the memory.
LARGEST = 1 << 16
FACTOR_EXPONENTS = range(-64, 32)


def pack(index: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return indices of up to four bits two to a byte, the first in the low half."""
    flat = np.zeros(index.size + index.size % 2, np.uint8)
    flat[: index.size] = index.ravel()
    return (flat[0::2] + np.uint8(16) * flat[1::2]).astype(np.uint8)


def unpack(packed: npt.NDArray[np.uint8], shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Return the indices (K, N) of their bytes."""
    flat = np.empty(2 * len(packed), np.uint8)
    flat[0::2], flat[1::2] = packed & 15, packed >> 4
    return flat[: shape[0] * shape[1]].reshape(shape)


def container(
    layers: Mapping[str, QuantizedLinear],
    made_by: Mapping[str, object],
    beside: Mapping[str, npt.NDArray[Any]] | None = None,
) -> bytes:
    """Return the file of some layers.

    Parameters
    ----------
    layers : mapping
        By name.
    made_by : mapping
        What they were made with: kept as JSON in the metadata, for people.
    beside : mapping of str to array, optional
        What else of a model the file is to hold.
    """
    tensors: dict[str, npt.NDArray[Any]] = dict(beside or {})
    facts = {}
    for name, layer in layers.items():
        tensors |= {f"{name}.{key}": value for key, value in _tensors(layer).items()}
        facts[name] = {
            "inputs": layer.inputs,
            "outputs": layer.outputs,
            "symmetric": layer.spec.symmetric,
            "magnitude_bits": layer.spec.magnitude_bits,
            "activation_bits": layer.spec.activation_bits,
            "k_top": layer.k_top,
            "factor_mantissa": layer.factor.mantissa,
            "factor_exponent": layer.factor.exponent,
        }
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "layers": json.dumps(facts),
        "made_by": json.dumps(dict(made_by)),
    }
    return _in_order(save(tensors, metadata))


def _in_order(file: bytes) -> bytes:
    """Return a safetensors file with its metadata in order: the library writes them in any.

    The header's length stands in 8 bytes, the header behind it, filled up with blanks.
    """
    length = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    ordered = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    ordered += b" " * (-len(ordered) % 8)
    return len(ordered).to_bytes(8, "little") + ordered + file[8 + length :]


def is_container(path: Path) -> bool:
    """Return whether a safetensors file says that it holds quantised layers."""
    try:
        with safe_open(path, framework="numpy") as file:
            return (file.metadata() or {}).get("format") == FORMAT
    except (SafetensorError, OSError):
        return False


def read_layer(path: Path, name: str) -> QuantizedLinear:
    """Return a layer of a file that :func:`container` made.

    Raises
    ------
    InputError
        If there is no such file or layer, or if anything in it is not as it must be.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file; expected one that kllm quantize wrote")
    try:
        with safe_open(path, framework="numpy") as file:
            facts = _facts(path, file.metadata() or {}, name)
            shapes = _shapes(path, name, facts)
            names = set(file.keys())
            tensors = {}
            snapped = {key: dtype for key, dtype in SNAPPED.items() if f"{name}.{key}" in names}
            for key, dtype in (DTYPES | snapped).items():
                full = f"{name}.{key}"
                if full not in names:
                    raise InputError(f"{path} has no tensor {full!r}")
                part = file.get_slice(full)
                shape = tuple(part.get_shape())
                if part.get_dtype() != dtype or (key in shapes and shape != shapes[key]):
                    raise InputError(
                        f"{full} of {path} must be {dtype} {shapes.get(key, '')}, "
                        f"is {part.get_dtype()} {shape}"
                    )
                if np.prod(shape, dtype=object) > LARGEST and key not in shapes:
                    raise InputError(f"{full} of {path} is too large: {shape}")
                tensors[key] = file.get_tensor(full)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is no whole safetensors file ({error})") from error
    try:
        return _layer(facts, tensors)
    except (ValueError, TypeError) as error:
        raise InputError(f"layer {name!r} of {path} cannot be: {error}") from error


def _tensors(layer: QuantizedLinear) -> dict[str, npt.NDArray[Any]]:
    levels = layer.levels
    snapped = np.stack([levels.first, levels.value]).astype(np.uint8) if levels else None
    return ({} if snapped is None else {"levels": snapped}) | {
        "w_index": pack(layer.w_index),
        "a_centroids": layer.a_centroids.astype(np.int16),
        "w_centroids": layer.w_centroids.astype(np.int16),
        "product_table": layer.product_table.astype(np.int16),
        "scale_mantissa": layer.w_scale.mantissa.astype(np.uint16),
        "scale_exponent": layer.w_scale.exponent.astype(np.int8),
        "bias": layer.bias.view(np.float16),
        "bias_offset": np.broadcast_to(np.float64(layer.offset), (layer.outputs,)).copy(),
    }


def _facts(path: Path, metadata: Mapping[str, str], name: str) -> dict[str, Any]:
    """Return the layer's entry in the metadata, every number an integer."""
    if metadata.get("format") != FORMAT or metadata.get("version") != VERSION:
        raise InputError(
            f"{path} holds no quantised layers of version {VERSION}: kllm quantize writes them"
        )
    try:
        layers = json.loads(metadata.get("layers", ""))
    except (ValueError, RecursionError) as error:
        raise InputError(f"the metadata of {path} cannot be read: {error}") from error
    facts = lookup("layer", name, layers if isinstance(layers, dict) else {}, owner=path)
    if not isinstance(facts, dict) or set(facts) != set(FACTS):
        raise InputError(f"layer {name!r} of {path} must have the facts {', '.join(FACTS)}")
    for key, value in facts.items():
        kind = bool if key == "symmetric" else int
        if type(value) is not kind:
            raise InputError(f"{key} of {name!r} in {path} must be {kind.__name__}, is {value!r}")
    return facts


def _shapes(path: Path, name: str, facts: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the shapes that follow from the layer's size."""
    inputs, outputs = facts["inputs"], facts["outputs"]
    if not (1 <= inputs <= LARGEST and 1 <= outputs <= LARGEST):
        raise InputError(
            f"{name!r} of {path} must have 1 to {LARGEST} inputs and outputs, "
            f"has {inputs} and {outputs}"
        )
    channels = dict.fromkeys(
        ("scale_mantissa", "scale_exponent", "bias", "bias_offset"), (outputs,)
    )
    return {"w_index": ((inputs * outputs + 1) // 2,), **channels}


def _layer(facts: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> QuantizedLinear:
    """Return the layer; raise ValueError or TypeError where something is out of its range."""
    mantissa = tensors["scale_mantissa"].astype(np.int64)
    low = 1 << (SCALE_BITS - 1)
    if mantissa.min() < low or mantissa.max() >= 2 * low:
        raise ValueError(f"scale mantissas must be from {low} to {2 * low - 1}")
    factor = ScaleFactor(facts["factor_mantissa"], facts["factor_exponent"])
    if not 1 << (FACTOR_BITS - 1) <= factor.mantissa < 1 << FACTOR_BITS:
        raise ValueError(f"factor_mantissa must have {FACTOR_BITS} bits, is {factor.mantissa}")
    if factor.exponent not in FACTOR_EXPONENTS:
        raise ValueError(f"factor_exponent must be from -64 to 31, is {factor.exponent}")
    if not np.isfinite(tensors["bias_offset"]).all():
        raise ValueError("bias_offset must be finite")
    levels = tensors["levels"].astype(np.int64) if "levels" in tensors else None
    if levels is not None and (levels.ndim != 2 or len(levels) != 2):
        raise ValueError(f"levels must have shape (2, 8) or (2, 16), have {levels.shape}")
    numbers = {k: facts[k] for k in ("symmetric", "magnitude_bits", "activation_bits")}
    return QuantizedLinear(
        spec=NumberSpec(**numbers),
        a_centroids=tensors["a_centroids"].astype(np.int64),
        w_centroids=tensors["w_centroids"].astype(np.int64),
        product_table=tensors["product_table"].astype(np.int64),
        w_index=unpack(tensors["w_index"], (facts["inputs"], facts["outputs"])),
        w_scale=Scale(mantissa, tensors["scale_exponent"].astype(np.int64)),
        bias=tensors["bias"].view(np.uint16),
        k_top=facts["k_top"],
        factor=factor,
        offset=tensors["bias_offset"],
        levels=None if levels is None else Levels(*levels),
    )
