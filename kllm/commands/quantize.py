"""The command ``kllm quantize``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from golden.base.errors import InputError
from kllm.options import BitsA, BitsW, Outliers, Plain, Recipe, Seed, refuse

EXAMPLES = """
Examples:

kllm quantize --weights model.safetensors --calibration x.npz -o model.kllm.safetensors

kllm quantize golden/models/lm --calibration README.md -o build/lm-layers --recipe weighted

kllm run --weights model.kllm.safetensors --tensor fc --activations x.npy --symmetric

With FOLDER, a model of LLaMA's or BERT's kind as it is published, all its linear layers are
quantised, one after the other, each into a file of its own. The calibration is then text for the
folder's tokenizer, or tokens: .json, or .npz with one array (T,) or (W, T). Ended on the way, the
same command goes on where it was, and writes the same bytes. --recipe weighted is the fast one.

Otherwise the .npz file holds an array (T, K) of inputs for each weight to quantise, under the
weight's name in the safetensors file, with or without ".weight": np.savez("x.npz", **{"fc": x}).
"""


def command(
    context: typer.Context,
    calibration: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help=".npz of inputs (T, K), by the weights' names; with FOLDER text, or tokens.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where the layers go; with FOLDER a folder.",
        ),
    ],
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER]", help="A whole model: config.json and safetensors."),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="safetensors, full precision; a model in parts by its folder."
        ),
    ] = None,
    bits_w: BitsW = 4,
    bits_a: BitsA = 4,
    outliers: Outliers = 0.005,
    plain: Plain = False,
    recipe: Recipe = "refined",
    windows: Annotated[
        int, typer.Option(min=1, help="With FOLDER: windows of up to 256 tokens to calibrate on.")
    ] = 8,
    seed: Seed = 0,
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

    options = {
        "weight_bits": bits_w,
        "activation_bits": bits_a,
        "symmetric": not plain,
        "outlier_share": outliers,
        "recipe": recipe,
    }
    if folder:
        refuse(context, "a folder has the weights", "weights")
        quantize_model(folder, calibration, output, options, windows, seed)
        return
    refuse(context, "layers are quantised on all of their calibration", "windows", "seed")
    if not weights:
        raise InputError("name the folder of a model, or layers with --weights")
    require_writable(output)
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


def quantize_model(
    folder: Path, calibration: Path, out: Path, options: dict[str, Any], windows: int, seed: int
) -> None:
    """Quantise the model of a folder, and say what came of it."""
    from golden.base.console import working
    from golden.models.quantise_folder import Recipe as ModelRecipe
    from golden.models.quantise_folder import quantise_folder

    recipe = ModelRecipe(**options, windows=windows, seed=seed)
    with working() as say:
        files = quantise_folder(folder, calibration, out, recipe, say)
    size = sum(file.stat().st_size for file in files)
    typer.echo(f"{out}: {len(files)} layers, {size} bytes")
