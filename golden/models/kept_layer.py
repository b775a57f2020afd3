"""A layer that was quantised before, with tokens to run."""

from pathlib import Path

import numpy as np

from golden.base.errors import InputError
from golden.models.layer_source import LayerSource, read_activations
from golden.quantise.layer_container import read_layer
from golden.quantise.quantize import to_fp16


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
        x=to_fp16(str(activations_file), activations[-tokens:]),
        layer=layer,
    )
