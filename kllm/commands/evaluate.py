"""The command ``kllm eval``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from golden.accuracy.models import Model
    from golden.accuracy.options import EvalOptions

EXAMPLES = """
Examples:

kllm eval  -  MiniLM, all linear layers in 4 bits, against FP32

kllm eval --bits-a 3 --seeds 8 --json w4a3.json --plot w4a3.png

kllm eval --method kllm --method atom --method quarot --method rtn_g128

kllm eval --recipe paper --plain --outliers 0.01

kllm eval --ablation --layers layer.0  -  what each part of the recipe is good for

kllm eval --model lm --texts 256 --method kllm --method quarot --method fp16
"""


def evaluate(
    model: Annotated[str, typer.Option(help="minilm, or lm: the language model.")] = "minilm",
    method: Annotated[
        list[str] | None, typer.Option(help="kllm, or a published one; may be repeated.")
    ] = None,
    bits_w: Annotated[int, typer.Option(help="Bits of a weight.")] = 4,
    bits_a: Annotated[int, typer.Option(help="Bits of an activation.")] = 4,
    outliers: Annotated[
        float, typer.Option(help="kllm: share kept as outliers on each side, 0 to 0.5.")
    ] = 0.005,
    plain: Annotated[
        bool, typer.Option("--plain", help="kllm: codebooks that need not be symmetric.")
    ] = False,
    recipe: Annotated[
        list[str] | None,
        typer.Option(help="kllm: refined (default), weighted, paper, uniform; may be repeated."),
    ] = None,
    ablation: Annotated[
        bool,
        typer.Option("--ablation", help="kllm: the recipe with one thing different in each run."),
    ] = False,
    layers: Annotated[
        str,
        typer.Option(metavar="PART", help="MiniLM: quantise only layers with this in their name."),
    ] = "",
    calibration: Annotated[int, typer.Option(help="Texts, or windows, to calibrate on.")] = 64,
    texts: Annotated[int, typer.Option(help="Other texts to measure on.")] = 64,
    seed: Annotated[int, typer.Option(help="Chooses the texts, and what is random.")] = 0,
    seeds: Annotated[int, typer.Option(help="How many seeds to run, from --seed on.")] = 1,
    tuning: Annotated[
        bool,
        typer.Option(
            "--tuning", help="MiniLM: measure on the passages that methods are chosen on."
        ),
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw them: .png, .svg or .pdf.")
    ] = None,
) -> None:
    """Quantise a whole model and measure what that costs.

    Layers are quantised in the order in which they run, each on what those before it give.
    Calibration and measurement use different texts, drawn anew for each seed; MiniLM is measured
    on passages that took no part in the choice of methods, for which seeds 0 to 2 were used.
    ``kllm`` runs the integer form of the engines, bit for bit, FP16 between layers.
    """
    from dataclasses import replace

    from golden.accuracy.ablation import variants
    from golden.accuracy.figures import require_files
    from golden.accuracy.models import require_model
    from golden.accuracy.options import EvalOptions
    from golden.base.errors import InputError
    from golden.quantise.recipes.table import DEFAULT

    if seeds < 1:
        raise InputError(f"the number of seeds must be at least 1, got {seeds}")
    if ablation and (method or recipe):
        raise InputError("--ablation varies the recipe of kllm: leave out --method and --recipe")
    chosen = require_model(model)
    require_files(json_file, plot)
    base = EvalOptions(
        bits_w=bits_w,
        bits_a=bits_a,
        outlier_share=outliers,
        symmetric=not plain,
        layers=layers,
        calibration=calibration,
        texts=texts,
        seed=seed,
        tuning=tuning,
    )
    if ablation:
        kinds = variants(base)
    else:
        recipes = recipe or [DEFAULT]
        kinds = [
            (
                name if len(recipes) == 1 or name != "kllm" else f"{name}, {kind}",
                replace(base, method=name, recipe=kind),
            )
            for name in method or ["kllm"]
            for kind in (recipes if name == "kllm" else [DEFAULT])
        ]
    runs = [replace(kind, seed=seed + i) for _, kind in kinds for i in range(seeds)]
    report(chosen, runs, [label for label, _ in kinds for _ in range(seeds)], json_file, plot)


def report(
    model: "Model",
    runs: "list[EvalOptions]",
    labels: list[str],
    json_file: Path | None,
    plot: Path | None,
) -> None:
    """Measure, print mean and worst by label, and write what is asked for.

    The JSON file is written anew after each run, so that what is there stays if one is stopped.
    """
    from dataclasses import asdict
    from time import process_time

    from golden.accuracy.figures import draw, print_figures
    from golden.base.files import write_whole

    for run in runs:
        run.check()
    found: list[dict[str, Any]] = []
    with _bar(labels) as step:
        for i, (run, label) in enumerate(zip(runs, labels, strict=True)):
            began = process_time()
            figures = model.evaluate(run, lambda done, of, i=i: step(i, done, of))
            took = {"cpu_seconds": process_time() - began}
            found.append({"label": label, **asdict(run), **figures, **took})
            if json_file:
                write_whole(json_file, json.dumps(found, indent=2) + "\n")
    print_figures(model, found)
    if plot:
        draw(model, found, plot)


def _bar(labels: list[str]) -> Any:
    """Return a context that gives a function (run, done, of) which moves a progress bar."""
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import Progress

    @contextmanager
    def shown() -> Any:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(labels[0], total=len(labels))

            def step(run: int, done: int, of: int) -> None:
                progress.update(task, completed=run + done / of, description=labels[run])

            yield step

    return shown()
