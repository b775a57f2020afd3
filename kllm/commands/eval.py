"""The command ``kllm eval``."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from golden.base.errors import InputError
from kllm.options import (
    BitsA,
    BitsW,
    Calibration,
    Json,
    LayersPart,
    Methods,
    ModelName,
    Outliers,
    Plain,
    Plot,
    Seed,
    Seeds,
    Texts,
    Tuning,
    refuse,
)
from kllm.results import STANDARD_OUTPUT, deliver, require_json, write_json

if TYPE_CHECKING:
    from golden.accuracy.evaluations import Evaluation
    from golden.accuracy.options import EvalOptions

    Show = Callable[[Evaluation, list[dict[str, Any]]], None]

EXAMPLES = """
Examples:

kllm eval  -  MiniLM, all linear layers in 4 bits, against FP32

kllm eval --bits-a 3 --seeds 8 --json w4a3.json --plot w4a3.png

kllm eval --method kllm --method atom --method quarot --method rtn_g128

kllm eval --recipe paper --plain --outliers 0.01

kllm eval --bits-a 16  -  what the weights alone lose, with activations in FP16

kllm eval --recipe uniform --bits-w 5 --bits-a 5  -  integers in the place of codebooks

kllm eval --ablation --layers layer.0  -  what each part of the recipe is good for

kllm eval --model lm --texts 256 --method kllm --method quarot_asym_g128 --method fp16

kllm eval --model lm --texts 128 --seeds 3 --on-indices softmax,silu,norm  -  one by one, and all

kllm eval --model lm --method quarot --method atom --kv paper  -  with their papers' 4-bit KV cache
"""


def command(
    context: typer.Context,
    model: ModelName = "minilm",
    method: Methods = None,
    bits_w: BitsW = 4,
    bits_a: BitsA = 4,
    outliers: Outliers = 0.005,
    plain: Plain = False,
    recipe: Annotated[
        list[str] | None,
        typer.Option(help="kllm: refined (default), weighted, paper, uniform; may be repeated."),
    ] = None,
    ablation: Annotated[
        bool,
        typer.Option("--ablation", help="kllm: the recipe with one thing different in each run."),
    ] = False,
    layers: LayersPart = "",
    calibration: Calibration = 64,
    texts: Texts = 64,
    seed: Seed = 0,
    seeds: Seeds = 1,
    tuning: Tuning = False,
    kv: Annotated[
        str,
        typer.Option(
            help="lm: keys and values in full precision, or as each method's paper keeps them:"
            " full or paper."
        ),
    ] = "full",
    on_indices: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Nonlinear operations on 4-bit indices, one by one and all together: some of"
            " softmax,silu,norm (lm) or softmax,kv,kv_level,q,gelu,gelu5,gelu6 (minilm): keys and"
            " values as the chip's or with scales that keep squares, queries, GELU of 4 to 6 bits.",
        ),
    ] = "",
    json_file: Json = None,
    plot: Plot = None,
) -> None:
    """Quantise a whole model and measure what that costs.

    Layers are quantised in the order in which they run, each on what those before it give.
    Calibration and measurement use different texts, drawn anew for each seed, and nothing was
    chosen on what is measured. The standard error is over texts, or windows, each against full
    precision on the same.
    ``kllm`` runs the integer form of the engines, bit for bit, FP16 between layers; but for two
    that no engine has, for comparison: --bits-a 16 leaves activations as they are, and --recipe
    uniform has integers of 2 to 8 bits for weights and activations. Options of kllm, such as
    --outliers and --plain, are without effect on other methods.
    """
    from dataclasses import replace

    from golden.accuracy.ablation import variants
    from golden.accuracy.on_indices import parse_operations, with_operations
    from golden.accuracy.options import PAPER, EvalOptions
    from golden.quantise.recipes.table import DEFAULT

    if ablation and (method or recipe):
        raise InputError("--ablation varies the recipe of kllm: leave out --method and --recipe")
    if model == "lm":
        refuse(context, "the language model is quantised as a whole", "layers")
    else:
        refuse(context, "only the language model keeps keys and values", "kv")
    if method and "kllm" not in method:
        refuse(context, "no method but kllm takes these", "outliers", "plain", "recipe")
    base = EvalOptions(
        bits_w=bits_w,
        bits_a=bits_a,
        outlier_share=outliers,
        symmetric=not plain,
        layers=layers,
        calibration=calibration,
        texts=texts,
        tuning=tuning,
        kv=kv,
    )
    if ablation:
        kinds = dict(variants(base))
    else:
        recipes = recipe or [DEFAULT]
        kept = ", KV as in its paper" if kv == PAPER else ""
        kinds = {
            name + f", {kind}" * (len(recipes) > 1 and name == "kllm") + kept: replace(
                base, method=name, recipe=kind
            )
            for name in method or ["kllm"]
            for kind in (recipes if name == "kllm" else [DEFAULT])
        }
    if names := parse_operations(on_indices, model):
        if len(kinds) > 1:
            raise InputError("--on-indices varies the operations of one method with one recipe")
        (first,) = kinds.items()
        kinds = dict(with_operations(*first, names))
    measure(model, kinds, range(seed, seed + seeds), json_file, plot)


def measure(
    model: str,
    kinds: "Mapping[str, EvalOptions]",
    seeds: range,
    json_file: Path | None,
    plot: Path | None,
    show: "Show | None" = None,
) -> None:
    """Measure each kind with each seed, print mean and worst, and write what is asked for.

    The JSON file is written anew after each run, so that what is there stays if one is stopped.
    """
    from golden.accuracy.evaluations import EVALUATIONS
    from golden.accuracy.figures import draw, measure_all, print_figures
    from golden.base.files import require_plot
    from golden.base.names import lookup

    if not seeds:
        raise InputError("the number of seeds must be at least 1")
    chosen = lookup("model", model, EVALUATIONS)
    require_json(json_file)
    require_plot(plot)
    found = []
    for found in measure_all(chosen, kinds, seeds):
        if json_file != STANDARD_OUTPUT:
            write_json(json_file, found)
    deliver(json_file, found, lambda: (show or print_figures)(chosen, found))
    if plot:
        draw(chosen, found, plot)
