"""The command ``kllm verilog``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from kllm.options import Designs, Folder, Json, Listing, chosen_designs, refuse
from kllm.results import deliver, require_json

EXAMPLES = """
Examples:

kllm verilog --list  -  what there is

kllm verilog --json -  -  the same with all parameters, for scripts

kllm verilog tiny minilm -o rtl  -  rtl/tiny.v, rtl/tiny.json and so on

kllm verilog chip_edge -o rtl --package  -  rtl/chip_edge.core and rtl/chip_edge.sdc beside them

kllm verilog chip_edge -o rtl --macros  -  memories in files of their own, for macros
"""


def command(
    context: typer.Context,
    names: Designs = None,
    folder: Folder = Path("build/verilog"),
    package: Annotated[
        bool,
        typer.Option("--package", help="Write a core file for FuseSoC and an SDC file, too."),
    ] = False,
    macros: Annotated[
        bool,
        typer.Option(
            "--macros",
            help="Write the memories into files of their own, as they are and as black boxes: put"
            " macros in their place.",
        ),
    ] = False,
    listing: Listing = False,
    json_file: Json = None,
) -> None:
    """Write the Verilog of design points, each with a JSON file that describes it.

    The JSON file has the top module's ports, streams and fields, the parameters and latencies.
    With --list, or --json and no name, all design points are listed.
    """
    if names:
        refuse(context, "each design's JSON lies beside its Verilog", "listing", "json_file")
        write_designs(names, folder, package=package, macros=macros)
    elif listing or json_file:
        from gateware.points import CATALOGUE

        require_json(json_file)
        figures = [
            {"name": one.name, "about": one.about, "parameters": one.parameters}
            for one in CATALOGUE.values()
        ]
        deliver(json_file, figures, show)
    else:
        typer.echo(context.get_help())


def write_designs(
    names: list[str], folder: Path, *, package: bool = False, macros: bool = False
) -> None:
    """Write DESIGN.v and DESIGN.json of each design to ``folder``; nothing if a name is wrong.

    With ``package`` there are DESIGN.core and DESIGN.sdc, too, and with ``macros`` memories are
    apart: DESIGN_memories.v and DESIGN_memories_stub.v.
    """
    import gateware.memory_macros
    import gateware.package
    from golden.base.console import working
    from golden.base.files import make_folder, write_whole

    designs = chosen_designs(names)
    make_folder(folder)
    written = []
    with working() as say:
        for i, one in enumerate(designs):
            say("Verilog", i / len(designs), one.name)
            told = one.sidecar() | {"memories": gateware.memory_macros.describe(one)}
            if macros:
                files = gateware.memory_macros.apart(one)
            else:
                files = {".v": gateware.memory_macros.guarded(one.verilog())}
            sources = [suffix for suffix in files if "stub" not in suffix]
            files[".json"] = json.dumps(told, indent=2) + "\n"
            if package:
                files |= gateware.package.package(one, sources)
            for suffix, text in files.items():
                written.append(folder / f"{one.name}{suffix}")
                write_whole(written[-1], text)
    for path in written:
        typer.echo(path)


def show() -> None:
    """Print the design points as a table."""
    from gateware.points import CATALOGUE
    from golden.base.console import console, table

    rows = table("design", "what it is", numeric=False)
    for one in CATALOGUE.values():
        rows.add_row(one.name, one.about)
    console().print(rows)
