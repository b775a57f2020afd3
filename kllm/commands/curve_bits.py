"""The command ``kllm curve bits``: methods against numbers of bits, as papers print them."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from golden.base.errors import InputError

if TYPE_CHECKING:
    from golden.accuracy.models import Model

EXAMPLES = """
Examples:

kllm curve bits  -  the language model, all methods, W4A4, W4A3, W3A3 and W2A4

kllm curve bits --method quarot --method kllm --bits 4/4 --texts 256 --json bits.json
"""
METHODS = ("fp16", "rtn", "rtn_g128", "smoothquant", "quarot", "atom", "atom_128", "kllm")
BITS = ("4/4", "4/3", "3/3", "2/4")


def bits(
    model: Annotated[str, typer.Option(help="lm or minilm.")] = "lm",
    method: Annotated[
        list[str] | None, typer.Option(help="kllm, or a published one; may be repeated.")
    ] = None,
    pairs: Annotated[
        list[str] | None,
        typer.Option("--bits", metavar="W/A", help="Bits of weight and activation; repeatable."),
    ] = None,
    calibration: Annotated[int, typer.Option(help="Texts, or windows, to calibrate on.")] = 64,
    texts: Annotated[int, typer.Option(help="Others to measure on.")] = 64,
    seed: Annotated[int, typer.Option(help="Chooses the texts, and what is random.")] = 0,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")
    ] = None,
) -> None:
    """Quantise a whole model by several methods with several numbers of bits.

    For the language model the figure is its perplexity on held-out text, for MiniLM the error of
    its sentence vectors. What each means, and one method alone: kllm eval.
    """
    from rich.console import Console
    from rich.progress import Progress

    from golden.accuracy.models import require_model
    from golden.accuracy.options import EvalOptions
    from golden.base.files import require_writable, write_whole

    chosen = require_model(model)
    widths = [parse(pair) for pair in pairs or BITS]
    if json_file:
        require_writable(json_file)
    runs = [
        EvalOptions(
            method=name, bits_w=w, bits_a=a, calibration=calibration, texts=texts, seed=seed
        )
        for w, a in widths
        for name in method or METHODS
    ]
    for run in runs:
        run.check()
    found: list[dict[str, Any]] = []
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(runs))
        for i, run in enumerate(runs):
            label = f"{run.method} W{run.bits_w}A{run.bits_a}"

            def step(done: int, of: int, i: int = i, label: str = label) -> None:
                bar.update(task, completed=i + done / of, description=label)

            figures = chosen.evaluate(run, step)
            found.append(
                {"method": run.method, "bits_w": run.bits_w, "bits_a": run.bits_a, **figures}
            )
            if json_file:
                write_whole(json_file, json.dumps(found, indent=2) + "\n")
    print_table(chosen, found)


def parse(pair: str) -> tuple[int, int]:
    """Return the bits of weight and activation that ``4/3`` says.

    Raises
    ------
    InputError
        If it says something else.
    """
    found = re.fullmatch(r"([234])/([234])", pair)
    if not found:
        raise InputError(f"bits must be like 4/3, each 2, 3 or 4; got {pair!r}")
    return int(found[1]), int(found[2])


def print_table(model: "Model", found: list[dict[str, Any]]) -> None:
    """Print a line per method and a column per pair of bits."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    cells = {(f["method"], f["bits_w"], f["bits_a"]): f[model.metric] for f in found}
    columns = dict.fromkeys((f["bits_w"], f["bits_a"]) for f in found)
    table = Table("", box=SIMPLE, pad_edge=False, title=model.title, title_justify="left")
    for w, a in columns:
        table.add_column(f"W{w}A{a}", justify="right")
    for name in dict.fromkeys(f["method"] for f in found):
        table.add_row(name, *(f"{cells[name, w, a]:.3f}" for w, a in columns))
    Console().print(table)
