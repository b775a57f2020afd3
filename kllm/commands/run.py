"""The command ``kllm run``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from golden.base.errors import InputError, ToolError
from kllm.commands.run_decoder import run_decoder
from kllm.commands.run_encoder import run_encoder
from kllm.options import (
    LAYER,
    Area,
    BitsA,
    BitsW,
    Json,
    ModelName,
    Outliers,
    Recipe,
    Seed,
    Sets,
    Simulator,
    SpecFile,
    Symmetric,
    Tuning,
    given,
    own_sizes,
    refuse,
)
from kllm.results import deliver, require_json

if TYPE_CHECKING:
    from golden.models.layer_source import LayerSource

EXAMPLES = """
Examples:

kllm run  -  an attention layer of MiniLM, on Verilator

kllm run --layer encoder.layer.5.output.dense --symmetric --bits-a 3 --simulator icarus

kllm run --model lm --layer model.layers.0.mlp.down_proj  -  a layer of the language model

kllm run --weights model.safetensors --tensor fc.weight --activations x.npy --json out.json

kllm run --design tiny --set inputs_max=384 --set outputs_max=384  -  an engine of your own sizes

kllm run --decoder-layer 0 --tokens 8  -  a whole layer of the language model, on the chip

kllm run --encoder-layer 0  -  a whole layer of MiniLM, on the chip

WAVES=1 kllm run --tokens 1 --simulator icarus  -  with a waveform
"""
LM_LAYER = "model.layers.0.self_attn.q_proj"
OF_MODELS = ("model", "layer", "text", "tuning")
KEPT = ("bits_w", "bits_a", "outliers", "recipe")


def command(
    context: typer.Context,
    model: ModelName = "minilm",
    layer: Annotated[
        str | None, typer.Option(help=f"Its linear layer; by default {LAYER}, or {LM_LAYER}.")
    ] = None,
    decoder_layer: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="In its place: a whole layer of the language model, from 0, on chip_large; every"
            " vector on the way is compared.",
        ),
    ] = None,
    encoder_layer: Annotated[
        int | None,
        typer.Option(metavar="N", help="The same of MiniLM, on chip_encoder."),
    ] = None,
    tokens: Annotated[int, typer.Option(help="Tokens to run.")] = 8,
    simulator: Simulator = "verilator",
    text: Annotated[
        Path | None,
        typer.Option(help="Text to run, UTF-8; by default the model's own, held out."),
    ] = None,
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
        Path | None,
        typer.Option(
            help="Your own layer: safetensors (one file, or the folder of a model in parts), or"
            " what kllm quantize wrote."
        ),
    ] = None,
    tensor: Annotated[
        str | None, typer.Option(help="Its weight in that file, (N, K) or (K, N).")
    ] = None,
    activations: Annotated[
        Path | None,
        typer.Option(help="Its inputs, .npy (T, K): the last tokens run, the rest calibrate."),
    ] = None,
    seed: Seed = 0,
    tuning: Tuning = False,
    area: Area = True,
    json_file: Json = None,
    dump: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the arrays as .npz.")
    ] = None,
) -> None:
    """Run a linear layer end to end: quantise, simulate the Verilog, compare, measure.

    Or a whole layer of the language model, or of MiniLM, on the simulated chip.

    Every bit of the simulated engine's outputs is compared with the golden model's; the
    exit status is 1 if one differs.
    """
    from golden.base.console import working
    from golden.base.files import require_writable, write_whole
    from golden.models.layer_source import model_layer
    from sim.kit.simulators import choose_simulator
    from sim.run.report import arrays, show, summary
    from sim.run.run import Options, run
    from synth.area.measure_design import measure_design

    require_json(json_file)
    require_writable(dump)
    if decoder_layer is not None and encoder_layer is not None:
        raise InputError("--decoder-layer and --encoder-layer are of two models: give one of them")
    if decoder_layer is not None:
        run_decoder(context, decoder_layer, tokens, seed, json_file)
        return
    if encoder_layer is not None:
        run_encoder(context, encoder_layer, tokens, seed, json_file)
        return
    design, bits_a = sized_design(context, design, bits_a, symmetric, sets, spec)
    options = Options(
        design=design,
        simulator=choose_simulator(simulator),
        weight_bits=bits_w,
        activation_bits=bits_a,
        symmetric=symmetric,
        outlier_share=outliers,
        recipe=recipe,
        seed=seed,
    )
    with working() as say:
        say("activations")
        if weights or tensor or activations:
            source = own_layer(context, weights, tensor, activations, tokens)
        else:
            if text:
                refuse(context, "text of your own is run whatever was chosen on", "tuning")
            name = layer or (LM_LAYER if model == "lm" else LAYER)
            source = model_layer(name, tokens, text, seed, model, tuning=tuning)
        outcome = run(source, options, measure_area=measure_design if area else None, progress=say)
    deliver(json_file, summary(outcome), lambda: show(outcome))
    if dump:
        write_whole(dump, arrays(outcome))
    if outcome.run.waves:
        typer.echo(f"waveform: {outcome.run.waves}", err=True)
    if outcome.mismatches:
        raise ToolError(
            f"{outcome.mismatches} of {outcome.run.y.size} output values differ from the"
            f" golden model; {outcome.first_wrong}"
        )


def sized_design(
    context: typer.Context,
    name: str,
    bits_a: int,
    symmetric: bool,
    sets: list[str] | None,
    spec: Path | None,
) -> tuple[str, int]:
    """Return the design with the user's sizes, if there are any, and the bits of an activation.

    --bits-a and --symmetric are parameters of such a design like others, unless they are set.
    """
    from gateware.own import changes_of, is_own
    from gateware.variant import BEFORE, address
    from golden.exact.codebook import A_INDEX_BITS, require_index_bits
    from sim.run.run import engine_point

    # The file may say the design, if the command does not.
    named = name if given(context, "design") or not spec else None
    whole = own_sizes(named, sets, spec) or name
    if not is_own(whole):
        return whole, bits_a
    require_index_bits("--bits-a", bits_a, A_INDEX_BITS)
    base, _, said = whole.partition(BEFORE)
    form = {"symmetric": True} if symmetric else {}
    if given(context, "bits_a") and bits_a > 4:
        form |= {"activation_bits": bits_a}
    whole = address(address(base, form), changes_of([said]))
    numbers = engine_point(whole).spec.numbers
    return whole, bits_a if given(context, "bits_a") else numbers.activation_bits


def own_layer(
    context: typer.Context,
    weights: Path | None,
    tensor: str | None,
    activations: Path | None,
    tokens: int,
) -> "LayerSource":
    """Return a layer of the user's files.

    Raises
    ------
    InputError
        If a file is missing or wrong, or an option would be without effect.
    """
    from golden.models.layer_files import file_layer, kept_layer
    from golden.quantise.layer_container import is_container

    refuse(context, "your own layer takes --weights, --tensor and --activations", *OF_MODELS)
    if not (weights and tensor and activations):
        raise InputError("your own layer takes --weights, --tensor and --activations together")
    if not is_container(weights):
        return file_layer(weights, tensor, activations, tokens)
    refuse(context, f"{weights} holds layers that were quantised before", *KEPT)
    return kept_layer(weights, tensor, activations, tokens)
