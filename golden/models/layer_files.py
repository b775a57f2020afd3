"""Layers and their inputs from the user's files: in full precision, or quantised before."""

from pathlib import Path

import numpy as np

from golden.base.array_file import read_archive, read_array
from golden.base.errors import InputError
from golden.base.tensor_file import TensorFile
from golden.models.layer_source import Floats, LayerSource, require_tokens
from golden.quantise.layer_container import read_layer
from golden.quantise.quantize import require_finite, to_fp16, tokens_to_fp16


def file_layer(weights_file: Path, tensor: str, activations_file: Path, tokens: int) -> LayerSource:
    """Return a layer from the user's files. The last ``tokens`` rows run, the others calibrate.

    Parameters
    ----------
    weights_file : Path
        safetensors.
    tensor : str
        The weight, (N, K) as torch keeps it, or (K, N); the activations decide, and where both
        would fit it is taken as (N, K). If it is called ``….weight`` and there is a
        ``….bias``, that is the bias.
    activations_file : Path
        ``.npy``, (T, K), of floating-point numbers.
    tokens : int
        How many to run; at least one more is needed to calibrate.

    Raises
    ------
    InputError
        If a file is missing, broken, of another type, or does not fit the other.
    """
    require_tokens(tokens)
    activations = read_activations(activations_file)
    file = TensorFile(weights_file)
    stem, weight, bias = _weights(file, tensor, activations)
    to_fp16(f"{stem}.bias", bias)
    to_fp16(str(activations_file), activations)
    if len(activations) <= tokens:
        raise InputError(
            f"{activations_file} has {len(activations)} tokens; asked to run {tokens} and at least"
            " one more is needed to calibrate: give more rows or run fewer"
        )
    x = tokens_to_fp16(f"the tokens to run of {activations_file}", activations[-tokens:])
    return LayerSource(
        name=tensor, weight=weight, bias=bias, calibration=activations[:-tokens], x=x
    )


def read_activations(path: Path) -> Floats:
    """Return the (T, K) floating-point numbers of a ``.npy`` file.

    Raises
    ------
    InputError
        If it is missing, truncated, pickled, or of another type or shape.
    """
    array = read_array(path)
    _require_tokens_array(str(path), array)
    return array


def named_layers(
    weights_file: Path, calibration_file: Path
) -> list[tuple[str, Floats, Floats, Floats]]:
    """Return name, weight (K, N), bias (N,) and tokens (T, K) of each layer with calibration.

    Parameters
    ----------
    weights_file : Path
        safetensors.
    calibration_file : Path
        ``.npz`` of tokens under the weights' names, with or without ``.weight``.

    Raises
    ------
    InputError
        If a file is missing, broken, of another type, or does not fit the other.
    """
    file, layers = TensorFile(weights_file), {}
    for name, tokens in _calibration(calibration_file).items():
        stem = name.removesuffix(".weight")
        if stem in layers:
            raise InputError(
                f"{calibration_file} has two arrays for one weight, {stem!r} and"
                f" {f'{stem}.weight'!r}: leave one out"
            )
        tensor = stem if stem in file.names else f"{stem}.weight"
        layers[stem] = (stem, *_weights(file, tensor, tokens)[1:], tokens)
    return list(layers.values())


def _weights(file: TensorFile, tensor: str, activations: Floats) -> tuple[str, Floats, Floats]:
    """Return a layer's name without ``.weight``, its weights (K, N) and its bias (N,)."""
    found = file.tensor(tensor)
    require_finite(tensor, found)  # as the file has it: what is refused is named by its place there
    weight = _as_inputs_by_outputs(tensor, found, activations)
    stem = tensor.removesuffix(".weight")
    has_bias = stem != tensor and f"{stem}.bias" in file.names
    bias = file.tensor(f"{stem}.bias") if has_bias else np.zeros(weight.shape[1], np.float32)
    if bias.shape != weight.shape[1:]:
        raise InputError(f"{stem}.bias has shape {bias.shape}; {tensor} needs ({weight.shape[1]},)")
    return stem, weight, bias


def _calibration(path: Path) -> dict[str, Floats]:
    """Return the arrays of an ``.npz`` file: at least one, all (T, K) of real numbers."""
    arrays = read_archive(path)
    for name, array in arrays.items():
        _require_tokens_array(f"{name} of {path}", array)
    if not arrays:
        raise InputError(f"{path} holds no array; expected inputs (T, K) by the weights' names")
    return arrays


def _require_tokens_array(name: str, array: np.ndarray) -> None:
    """Raise InputError unless an array is (T, K) of floating-point numbers."""
    if array.dtype not in (np.float16, np.float32, np.float64):
        raise InputError(
            f"{name} has dtype {array.dtype}; allowed are float16, float32 and float64"
        )
    if array.ndim != 2 or not array.size:
        raise InputError(f"{name} has shape {array.shape}; expected (T, K), both at least 1")


def _as_inputs_by_outputs(name: str, weight: Floats, activations: Floats) -> Floats:
    inputs = activations.shape[1]
    if weight.ndim != 2 or not weight.size or inputs not in weight.shape:
        raise InputError(
            f"tensor {name!r} has shape {weight.shape}; expected (N, {inputs}) or ({inputs}, N), "
            f"as the activations have K = {inputs}"
        )
    return weight.T if weight.shape[1] == inputs else weight


def kept_layer(container: Path, name: str, activations_file: Path, tokens: int) -> LayerSource:
    """Return a layer of a file that ``kllm quantize`` wrote, and the last ``tokens`` rows to run.

    Its weights in full precision are not known any more: the source's are what the indices
    stand for, so that errors measured against it are those of the activations alone.

    Raises
    ------
    InputError
        If a file is missing, broken, of another type, or does not fit the other.
    """
    layer = read_layer(container, name)
    activations = read_activations(activations_file)
    if activations.shape[1] != layer.inputs:
        raise InputError(
            f"{activations_file} has K = {activations.shape[1]}; layer {name!r} of {container} "
            f"has {layer.inputs} inputs"
        )
    if not 1 <= tokens <= len(activations):
        raise InputError(
            f"the number of tokens must be from 1 to the {len(activations)} of {activations_file},"
            f" got {tokens}"
        )
    return LayerSource(
        name=name,
        weight=layer.w_codebook()[layer.w_index] * layer.w_scale.value(),
        bias=layer.bias.view(np.float16).astype(np.float64) - layer.offset,
        calibration=activations[:0],
        x=tokens_to_fp16(f"the tokens to run of {activations_file}", activations[-tokens:]),
        layer=layer,
    )
