"""The command ``kllm curve inputs``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from golden.base.errors import InputError


def inputs(
    layers: Annotated[
        str, typer.Option(metavar="PART", help="Only layers with this in their name.")
    ] = "",
    bits_a: Annotated[int, typer.Option(help="Bits of an activation index, 2 to 4.")] = 4,
    outliers: Annotated[
        float, typer.Option(help="Share kept as outliers on each side, 0 to 0.5.")
    ] = 0.005,
    plain: Annotated[
        bool, typer.Option("--plain", help="Codebooks that need not be symmetric.")
    ] = False,
    tokens: Annotated[int, typer.Option(help="Tokens to measure on.")] = 256,
    seed: Annotated[int, typer.Option(help="Chooses the texts.")] = 0,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")
    ] = None,
) -> None:
    """Errors of the inputs: dynamic against static outliers, offline against online codebooks.

    Root mean squares in % of the inputs', each token in its own scale. Ours: outliers of each
    token, one codebook a layer, the mean magnitude as the token scale. Beside it: static
    thresholds (and which share is beyond them), a codebook fitted online to each token, other
    token scales. Layers that read the same inputs as query are left out.
    """
    from dataclasses import asdict

    from rich.box import SIMPLE
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from golden.accuracy.static_outliers import all_input_errors
    from golden.base.files import require_writable, write_whole
    from golden.models.layer_source import minilm_layers
    from golden.models.minilm import linear_layers

    known = [n for n in linear_layers() if not n.endswith(("self.key", "self.value"))]
    names = [name for name in known if layers in name]
    if not names:
        raise InputError(f"no layer has {layers!r} in its name; there are {', '.join(known[:4])}")
    if json_file:
        require_writable(json_file)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("layers", total=len(names))
        found = all_input_errors(
            list(minilm_layers(names, tokens, None, seed)),
            bits_a,
            symmetric=not plain,
            outlier_share=outliers,
            report=lambda: bar.advance(task),
        )
    if json_file:
        figures = [{"layer": name, **asdict(errors)} for name, errors in found.items()]
        write_whole(json_file, json.dumps(figures, indent=2) + "\n")
    table = Table("encoder.layer.", box=SIMPLE, pad_edge=False, title="errors in %")
    for column in ("ours", "static", "outliers", "online", "s_a RMS", "s_a largest"):
        table.add_column(column, justify="right", no_wrap=True)
    rows = [list(asdict(errors).values()) for errors in found.values()]
    means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    for name, row in [*zip(found, rows, strict=True), ("mean", means)]:
        table.add_row(
            name.removeprefix("encoder.layer."), *(f"{100 * number:.2f}" for number in row)
        )
    Console().print(table)
