"""The command ``kllm report``."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
Examples:

kllm report  -  every design point in the default library: build/report/report.html

kllm report tiny small --liberty sky130A -o sky  -  two of them in other cells

kllm report --table eval.json --table density.json  -  with figures that other commands wrote
"""


def report(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="DESIGN", help="Design points; default: all.")
    ] = None,
    folder: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder to write to.")
    ] = Path("build/report"),
    liberty: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME|FILE[,FILE...]", help="Cell library, as for `kllm synth`."),
    ] = None,
    tables: Annotated[
        list[Path] | None,
        typer.Option("--table", metavar="FILE", help="JSON of another command, as a table."),
    ] = None,
) -> None:
    """Write areas of design points as a page, with figures, and as JSON and Markdown.

    The page is one file without scripts: tables, the area of designs and of their parts, the
    units whose area the paper gives beside ours, and where every figure comes from.
    """
    from rich.console import Console

    from golden.base.files import make_folder, write_whole
    from kllm.commands.synth import choose
    from synth.libraries.libraries import load
    from synth.report.data import gather, markdown
    from synth.report.page import page

    designs = choose(names or [], not names)
    make_folder(folder)
    library = load(liberty or [])
    command = " ".join(["kllm", *sys.argv[1:]])
    with Console(stderr=True).status("synthesis") as status:
        data = gather(designs, library, command, tables or (), progress=status.update)
    write_whole(folder / "report.json", json.dumps(data, indent=1) + "\n")
    write_whole(folder / "report.md", markdown(data))
    write_whole(folder / "report.html", page(data))
    typer.echo(f"{folder / 'report.html'}, report.md and report.json")
