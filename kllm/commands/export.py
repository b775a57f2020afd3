"""The command ``kllm export``."""

from pathlib import Path
from typing import Annotated

import typer

from kllm.commands.run import own_layer, sized_design
from kllm.options import (
    LAYER,
    BitsA,
    BitsW,
    Folder,
    ModelName,
    Outliers,
    Recipe,
    Seed,
    Sets,
    SpecFile,
    Symmetric,
    Tuning,
)

EXAMPLES = f"""
Examples:

kllm export {LAYER} -o build/export --tokens 1  -  an attention layer of MiniLM

kllm export fc --weights w.kllm.safetensors --activations x.npy --symmetric -o out  -  your own

cd build/export && iverilog -g2001 -o bench testbench.v minilm.v && vvp bench
"""


def command(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="LAYER", help="A layer of --model, or the tensor of --weights that is one."
        ),
    ],
    folder: Folder,
    model: ModelName = "minilm",
    tokens: Annotated[int, typer.Option(help="Tokens to run.")] = 2,
    bits_w: BitsW = 4,
    bits_a: BitsA = 4,
    symmetric: Symmetric = False,
    outliers: Outliers = 0.005,
    recipe: Recipe = "refined",
    design: Annotated[
        str, typer.Option(help="Design point; kllm verilog --list has them.")
    ] = "minilm",
    sets: Sets = None,
    spec: SpecFile = None,
    weights: Annotated[
        Path | None, typer.Option(help="Your own layers, as `kllm run` takes them.")
    ] = None,
    activations: Annotated[
        Path | None,
        typer.Option(help="Its inputs, .npy (T, K): the last tokens run, the rest calibrate."),
    ] = None,
    seed: Seed = 0,
    tuning: Tuning = False,
) -> None:
    """Write the files that load an engine with a layer, and a bench that needs no Python.

    The Verilog, a file of hexadecimal words for each stream (load words, activations, the weights
    as the engine asks for them, the outputs that must come), the same as .npz, a JSON file that
    names all of it, select codes too, and testbench.v, which runs on Icarus.
    """
    from gateware.points import point
    from golden.base.console import working
    from golden.models.layer_source import model_layer
    from sim.run.export import export
    from sim.run.run import Options, layer_of

    design, bits_a = sized_design(context, design, bits_a, symmetric, sets, spec)
    options = Options(
        design=design,
        simulator="icarus",
        weight_bits=bits_w,
        activation_bits=bits_a,
        symmetric=symmetric,
        outlier_share=outliers,
        recipe=recipe,
        seed=seed,
    )
    with working() as say:
        say("activations")
        if weights or activations:
            source = own_layer(context, weights, name, activations, tokens)
        else:
            source = model_layer(name, tokens, None, seed, model, tuning=tuning)
        say("codebooks")
        quantised = layer_of(source, options)
        say("files")
        written = export(point(options.design_name), quantised, source.x, folder)
    for path in written:
        typer.echo(path)
