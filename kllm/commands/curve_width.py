"""The command ``kllm curve width``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from golden.base.errors import InputError

if TYPE_CHECKING:
    from golden.accuracy.width import Width


def width(
    layers: Annotated[
        str, typer.Option(metavar="PART", help="Only layers with this in their name.")
    ] = "",
    low: Annotated[int, typer.Option("--from", help="Narrowest entries, magnitude bits.")] = 6,
    high: Annotated[int, typer.Option("--to", help="Widest entries, magnitude bits.")] = 11,
    plain: Annotated[
        bool, typer.Option("--plain", help="Codebooks that need not be symmetric.")
    ] = False,
    tokens: Annotated[int, typer.Option(help="Tokens to measure on.")] = 64,
    seed: Annotated[int, typer.Option(help="Chooses the texts.")] = 0,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")
    ] = None,
) -> None:
    """Entry width of the product table against errors, over MiniLM's linear layers.

    Codebooks make room for the table until the arithmetic error is below a tenth of what they
    lose, where they can: what that costs stands in the column K-Means.
    """
    from rich.console import Console
    from rich.progress import Progress

    from golden.accuracy.width import width_curve
    from golden.base.files import require_writable
    from golden.models.minilm import linear_layers

    names = [name for name in linear_layers() if layers in name]
    if not names:
        raise InputError(f"no linear layer has {layers!r} in its name")
    if not 4 <= low <= high <= 12:
        raise InputError(f"widths must ascend within 4 to 12 bits, got {low} to {high}")
    if json_file:
        require_writable(json_file)
    widths = range(low, high + 1)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("layers", total=len(names) * len(widths))
        curve = width_curve(
            names,
            widths,
            symmetric=not plain,
            tokens=tokens,
            seed=seed,
            report=lambda: bar.advance(task),
        )
    print_curve(curve, json_file)


def print_curve(curve: "list[Width]", json_file: Path | None) -> None:
    """Print a line per width, and write JSON if asked for."""
    from dataclasses import asdict

    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    from golden.base.files import write_whole

    if json_file:
        write_whole(json_file, json.dumps([asdict(w) for w in curve], indent=2) + "\n")
    table = Table("bits", box=SIMPLE, pad_edge=False, title="errors in %", title_justify="left")
    for column in ("K-Means", "with table", "mean ratio", "largest ratio", "below 1/10"):
        table.add_column(column, justify="right", no_wrap=True)
    for w in curve:
        table.add_row(
            str(w.magnitude_bits),
            f"{100 * w.quantisation:.2f}",
            f"{100 * w.total:.2f}",
            f"1/{1 / w.mean_ratio:.1f}",
            f"1/{1 / w.largest_ratio:.1f}",
            f"{w.below_tenth} of {w.layers}",
        )
    Console().print(table)
