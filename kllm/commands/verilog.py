"""The command ``kllm verilog``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateware.design import Design

EXAMPLES = """
Examples:

kllm verilog --list  -  what there is

kllm verilog tiny minilm -o rtl  -  rtl/tiny.v, rtl/tiny.json and so on
"""


def verilog(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="DESIGN", help="Design points.")
    ] = None,
    folder: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder to write to.")
    ] = Path("build/verilog"),
    listing: Annotated[bool, typer.Option("--list", help="List the design points.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="List them as JSON, with all parameters.")
    ] = False,
) -> None:
    """Write the Verilog of design points, each with a JSON file that describes it.

    The JSON file has the top module's ports, streams and fields, the parameters and latencies.
    """
    if listing or as_json:
        print_list(as_json)
    elif names:
        write_designs(names, folder)
    else:
        typer.echo(context.get_help())


def write_designs(names: list[str], folder: Path) -> None:
    """Write DESIGN.v and DESIGN.json of each design to ``folder``; nothing if a name is wrong."""
    from rich.progress import Progress

    from gateware.points import point
    from golden.base.files import make_folder, write_whole

    designs = [point(name) for name in dict.fromkeys(names)]
    make_folder(folder)
    written = []
    with Progress(transient=True) as progress:
        for one in progress.track(designs, description="Verilog"):
            sidecar = json.dumps(one.sidecar(), indent=2) + "\n"
            for suffix, text in ((".v", one.verilog()), (".json", sidecar)):
                written.append(folder / f"{one.name}{suffix}")
                write_whole(written[-1], text)
    for path in written:
        typer.echo(path)


def print_list(as_json: bool) -> None:
    """Print what design points there are."""
    from gateware.points import CATALOGUE

    if as_json:
        rows = [
            {"name": one.name, "about": one.about, "parameters": one.parameters}
            for one in CATALOGUE.values()
        ]
        typer.echo(json.dumps(rows, indent=2))
    else:
        print_table(list(CATALOGUE.values()))


def print_table(designs: "list[Design]") -> None:
    """Print the design points as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("design", "what it is")
    for one in designs:
        table.add_row(one.name, one.about)
    Console().print(table)
