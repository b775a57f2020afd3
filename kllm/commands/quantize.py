"""The command ``kllm quantize``."""

from pathlib import Path
from typing import Annotated

import typer

from golden.base.errors import InputError

EXAMPLES = """
Examples:

kllm quantize --weights model.safetensors --calibration x.npz -o model.kllm.safetensors

kllm run --weights model.kllm.safetensors --tensor fc --activations x.npy --symmetric

The .npz file holds an array (T, K) of inputs for each weight to quantise, under the weight's name
in the safetensors file, with or without ".weight": np.savez("x.npz", **{"fc.weight": x}).
"""


def quantize(
    weights: Annotated[Path, typer.Option(metavar="FILE", help="safetensors, full precision.")],
    calibration: Annotated[
        Path, typer.Option(metavar="FILE", help=".npz of inputs (T, K), by the weights' names.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write the layers.")
    ],
    bits_w: Annotated[int, typer.Option(help="Bits of a weight index, 2 to 4.")] = 4,
    bits_a: Annotated[int, typer.Option(help="Bits of an activation index, 2 to 4.")] = 4,
    outliers: Annotated[
        float, typer.Option(help="Share kept as outliers on each side, 0 to 0.5.")
    ] = 0.005,
    plain: Annotated[
        bool, typer.Option("--plain", help="Codebooks that need not be symmetric.")
    ] = False,
    recipe: Annotated[
        str, typer.Option(help="How weights are quantised: refined, weighted or paper.")
    ] = "refined",
) -> None:
    """Quantise linear layers and keep them: indices, codebooks, scales, product tables.

    The file is safetensors, indices two to a byte; `kllm run` takes it. Every layer for which
    there is calibration is quantised, each on the inputs given.
    """
    from rich.console import Console
    from rich.progress import track

    from golden.base.files import require_writable, write_whole
    from golden.models.layer_source import named_layers
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
    console = Console(stderr=True)
    for name, weight, bias, x in track(sources, "layers", console=console, transient=True):
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
