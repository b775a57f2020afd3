"""The command ``kllm report``."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from kllm.options import Designs, Folder, Liberty, chosen_designs

EXAMPLES = """
Examples:

kllm report  -  every design point in the default library: build/report/report.html

kllm report tiny small --liberty sky130A -o sky  -  two of them in other cells

kllm report --table eval.json --table density.json  -  with figures that other commands wrote
"""


def command(
    names: Designs = None,
    folder: Folder = Path("build/report"),
    liberty: Liberty = None,
    tables: Annotated[
        list[Path] | None,
        typer.Option("--table", metavar="FILE", help="JSON of another command, as a table."),
    ] = None,
) -> None:
    """Write areas of design points (all by default) as a page, as JSON and as Markdown.

    The page is one file without scripts: tables, the area of designs and of their parts, the
    units whose area the paper gives beside ours, and where every figure comes from.
    """
    from golden.base.console import working
    from golden.base.files import make_folder, write_whole
    from synth.libraries.libraries import load
    from synth.report.data import gather, markdown
    from synth.report.page import page

    designs = chosen_designs(names, every=not names)
    make_folder(folder)
    library = load(liberty or [])
    command_line = " ".join(["kllm", *sys.argv[1:]])
    with working() as say:
        data = gather(
            designs,
            library,
            command_line,
            tables or (),
            progress=lambda part: say("synthesis", None, part),
        )
    write_whole(folder / "report.json", json.dumps(data, indent=1) + "\n")
    write_whole(folder / "report.md", markdown(data))
    write_whole(folder / "report.html", page(data))
    typer.echo(f"{folder / 'report.html'}, report.md and report.json")
