"""The command ``kllm study``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from golden.base.errors import InputError

if TYPE_CHECKING:
    from golden.accuracy.error_split import ErrorSplit

EXAMPLES = """
Examples:

kllm study --symmetric  -  all 36 linear layers of MiniLM

kllm study --layers output.dense --bits-a 3 --json study.json
"""


def study(
    layers: Annotated[
        str, typer.Option(metavar="PART", help="Only layers with this in their name.")
    ] = "",
    tokens: Annotated[int, typer.Option(help="Tokens to measure on.")] = 64,
    bits_w: Annotated[int, typer.Option(help="Bits of a weight index, 2 to 4.")] = 4,
    bits_a: Annotated[int, typer.Option(help="Bits of an activation index, 2 to 4.")] = 4,
    symmetric: Annotated[
        bool, typer.Option("--symmetric", help="Codebooks symmetric about zero.")
    ] = False,
    magnitude_bits: Annotated[
        int | None,
        typer.Option(help="Bits of a table entry beside its sign, 4 to 12; default: the engines'."),
    ] = None,
    outliers: Annotated[
        float, typer.Option(help="Share kept as outliers on each side, 0 to 0.5.")
    ] = 0.005,
    recipe: Annotated[
        str, typer.Option(help="How weights are quantised: refined, weighted or paper.")
    ] = "refined",
    seed: Annotated[int, typer.Option(help="Chooses the texts.")] = 0,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")
    ] = None,
) -> None:
    """Split the errors of MiniLM's linear layers: codebooks against integer arithmetic.

    Calibration and measurement use different texts. Errors are root mean squares relative to a
    layer's outputs; beside them integer round-to-nearest with the same bits, with a scale per
    token and in groups of 128.
    """
    from rich.console import Console
    from rich.progress import track

    from golden.accuracy.error_split import study as split_all
    from golden.base.files import require_writable, write_whole
    from golden.models.layer_source import minilm_layers
    from golden.models.minilm import linear_layers

    known = linear_layers()
    names = [name for name in known if layers in name]
    if not names:
        raise InputError(f"no linear layer has {layers!r} in its name, as {known[0]} has 'query'")
    if json_file:
        require_writable(json_file)
    errors = split_all(
        minilm_layers(names, tokens, None, seed),
        weight_bits=bits_w,
        activation_bits=bits_a,
        symmetric=symmetric,
        outlier_share=outliers,
        magnitude_bits=magnitude_bits,
        recipe=recipe,
    )
    bar = track(errors, "layers", len(names), console=Console(stderr=True), transient=True)
    found = dict(bar)
    if json_file:
        figures = [{"layer": name, **split.relative()} for name, split in found.items()]
        write_whole(json_file, json.dumps(figures, indent=2) + "\n")
    print_study(found)


def print_study(found: "dict[str, ErrorSplit]") -> None:
    """Print the errors of each layer, and how many keep the arithmetic error small."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "encoder.layer.", box=SIMPLE, pad_edge=False, title="errors in %", title_justify="left"
    )
    for column in ("K-Means", "INT", "INT, 128", "arithmetic", "ratio"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, split in found.items():
        *shares, ratio = split.relative().values()
        short = name.removeprefix("encoder.layer.")
        table.add_row(short, *(f"{100 * share:.2f}" for share in shares), f"1/{1 / ratio:.1f}")
    console = Console()
    console.print(table)
    ratios = [split.ratio for split in found.values()]
    for part in (10, 5):
        below = sum(ratio < 1 / part for ratio in ratios)
        console.print(f"arithmetic error below 1/{part} of K-Means': {below} of {len(ratios)}")
