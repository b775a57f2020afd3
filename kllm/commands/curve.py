"""The commands ``kllm curve ...``: one choice varied, all else as it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from kllm.commands.curve_bits import EXAMPLES, bits
from kllm.commands.curve_inputs import inputs
from kllm.commands.curve_width import width

BitsA = Annotated[int, typer.Option(help="Bits of an activation index, 2 to 4.")]
Plain = Annotated[bool, typer.Option("--plain", help="Codebooks that need not be symmetric.")]
Layers = Annotated[
    str, typer.Option(metavar="PART", help="Quantise only layers with this in their name.")
]
Texts = Annotated[int, typer.Option(help="Texts to measure on.")]
Seed = Annotated[int, typer.Option(help="Chooses the texts.")]
Seeds = Annotated[int, typer.Option(help="How many seeds to run, from --seed on.")]
Json = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")
]
Plot = Annotated[Path | None, typer.Option(metavar="FILE", help="Draw: .png, .svg or .pdf.")]
SHARES = (0.0, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1)
SIZES = (4, 8, 16, 32, 64)


def make_app() -> typer.Typer:
    """Return the commands."""
    app = typer.Typer(
        help="Vary one choice of the quantiser and measure.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.command("width", epilog="kllm curve width --from 7 --to 8 --json width.json")(width)
    app.command("inputs", epilog="kllm curve inputs --bits-a 3")(inputs)
    app.command("outliers", epilog="kllm curve outliers --json o.json --plot o.png")(outliers)
    app.command("calibration", epilog="kllm curve calibration --seeds 3")(calibration)
    app.command("bits", epilog=EXAMPLES)(bits)
    return app


def outliers(
    share: Annotated[
        list[float] | None, typer.Option(help=f"May be repeated; by default {SHARES}.")
    ] = None,
    layers: Layers = "",
    bits_a: BitsA = 4,
    plain: Plain = False,
    calibration: Annotated[int, typer.Option(help="Texts to calibrate on.")] = 16,
    texts: Texts = 32,
    seed: Seed = 0,
    seeds: Seeds = 1,
    json_file: Json = None,
    plot: Plot = None,
) -> None:
    """MiniLM's error against the share of activations kept exact on each side."""
    choices = [{"outlier_share": s} for s in share or SHARES]
    labels = [f"{100 * choice['outlier_share']:g} %" for choice in choices]
    common = {
        "layers": layers,
        "bits_a": bits_a,
        "symmetric": not plain,
        "calibration": calibration,
        "texts": texts,
    }
    _measure(choices, labels, common, range(seed, seed + seeds), json_file, plot)


def calibration(
    size: Annotated[
        list[int] | None, typer.Option(help=f"May be repeated; by default {SIZES}.")
    ] = None,
    layers: Layers = "",
    bits_a: BitsA = 4,
    plain: Plain = False,
    texts: Texts = 32,
    seed: Seed = 0,
    seeds: Seeds = 1,
    json_file: Json = None,
    plot: Plot = None,
) -> None:
    """MiniLM's error against the number of texts to calibrate on."""
    choices = [{"calibration": s} for s in size or SIZES]
    labels = [f"{choice['calibration']} texts" for choice in choices]
    common = {"layers": layers, "bits_a": bits_a, "symmetric": not plain, "texts": texts}
    _measure(choices, labels, common, range(seed, seed + seeds), json_file, plot)


def _measure(
    choices: list[dict[str, Any]],
    labels: list[str],
    common: dict[str, Any],
    seeds: range,
    json_file: Path | None,
    plot: Path | None,
) -> None:
    """Measure each choice with each seed."""
    from golden.accuracy.figures import require_files
    from golden.accuracy.models import require_model
    from golden.accuracy.options import EvalOptions
    from kllm.commands.evaluate import report

    require_files(json_file, plot)
    make: Callable[..., EvalOptions] = EvalOptions
    runs = [make(**common, **choice, seed=seed) for choice in choices for seed in seeds]
    names = [label for label in labels for _ in seeds]
    report(require_model("minilm"), runs, names, json_file, plot)
