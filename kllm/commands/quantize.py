"""The command ``kllm quantize``."""

from pathlib import Path
from typing import Annotated

import typer

from golden.base.errors import InputError
from kllm.options import BitsA, BitsW, Outliers, Plain, Recipe

EXAMPLES = """
Examples:

kllm quantize --weights model.safetensors --calibration x.npz -o model.kllm.safetensors

kllm run --weights model.kllm.safetensors --tensor fc --activations x.npy --symmetric

The .npz file holds an array (T, K) of inputs for each weight to quantise, under the weight's name
in the safetensors file, with or without ".weight": np.savez("x.npz", **{"fc.weight": x}).
"""


def command(
    weights: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="safetensors, full precision; a model in parts by its folder."
        ),
    ],
    calibration: Annotated[
        Path, typer.Option(metavar="FILE", help=".npz of inputs (T, K), by the weights' names.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write the layers.")
    ],
    bits_w: BitsW = 4,
    bits_a: BitsA = 4,
    outliers: Outliers = 0.005,
    plain: Plain = False,
    recipe: Recipe = "refined",
) -> None:
    """Quantise linear layers and keep them: indices, codebooks, scales, product tables.

    The file is safetensors, indices two to a byte; `kllm run` takes it. Every layer for which
    there is calibration is quantised, each on the inputs given.
    """
    from golden.base.console import working
    from golden.base.files import require_writable, write_whole
    from golden.models.layer_files import named_layers
    from golden.quantise.layer_container import container
    from golden.quantise.quantize import quantize_linear

    require_writable(output)
    options = {
        "weight_bits": bits_w,
        "activation_bits": bits_a,
        "symmetric": not plain,
        "outlier_share": outliers,
        "recipe": recipe,
    }
    sources = named_layers(weights, calibration)
    layers = {}
    with working() as say:
        for name, weight, bias, x in sources:
            say(f"layer {name}", len(layers) / len(sources))
            try:
                layers[name] = quantize_linear(weight, bias, x, **options)
            except InputError as error:
                raise InputError(f"{name}: {error}") from error
    content = container(layers, options)
    write_whole(output, content)
    real = sum(4 * layer.inputs * layer.outputs for layer in layers.values())
    typer.echo(
        f"{output}: {len(layers)} layers, {len(content)} bytes; "
        f"their weights take {real} in float32"
    )
