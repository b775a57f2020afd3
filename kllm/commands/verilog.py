"""The command ``kllm verilog``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kllm.options import (
    Designs,
    Folder,
    Json,
    Listing,
    Sets,
    SpecFile,
    chosen_designs,
    own_sizes,
    refuse,
)
from kllm.results import deliver, require_json

if TYPE_CHECKING:
    from gateware.design import Design

EXAMPLES = """
Examples:

kllm verilog --list  -  what there is

kllm verilog --json -  -  the same with all parameters, for scripts

kllm verilog tiny minilm -o rtl  -  rtl/tiny.v, rtl/tiny.json and so on

kllm verilog --explain tiny  -  its parameters: meaning, default, range

kllm verilog tiny --set output_lanes=8 --set inputs_max=128 -o rtl  -  sizes of your own

kllm verilog tiny:output_lanes=8,name=mine -o rtl  -  the same in short, under a name of its own

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
    sets: Sets = None,
    spec: SpecFile = None,
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="DESIGN", help="List its parameters: meaning, value, and what they can be."
        ),
    ] = None,
    json_file: Json = None,
) -> None:
    """Write the Verilog of design points, each with a JSON file that describes it.

    The JSON file has the top module's ports, streams and fields, the parameters and latencies.
    With --list, or --json and no name, all design points are listed.
    """
    if explain:
        refuse(
            context, "parameters are explained, nothing is written", "names", "folder", "listing"
        )
        explain_design(own_sizes(explain, sets, spec) or explain, json_file)
    elif names or sets or spec:
        refuse(context, "each design's JSON lies beside its Verilog", "listing", "json_file")
        designs = chosen_designs(names, sets=sets, spec=spec)
        write_designs(designs, folder, package=package, macros=macros)
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
    designs: "list[Design]", folder: Path, *, package: bool = False, macros: bool = False
) -> None:
    """Write DESIGN.v and DESIGN.json of each design to ``folder``.

    With ``package`` there are DESIGN.core and DESIGN.sdc, too, and with ``macros`` memories are
    apart: DESIGN_memories.v and DESIGN_memories_stub.v.
    """
    import gateware.memory_macros
    import gateware.package
    from golden.base.console import working
    from golden.base.files import make_folder, write_whole

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


def explain_design(address: str, json_file: Path | None) -> None:
    """Print a design's parameters: what each is, its value, and what it can be."""
    from dataclasses import asdict

    from gateware.parameters import parameters
    from gateware.points import point
    from gateware.variant import value_text
    from golden.base.console import console, table

    require_json(json_file)
    found = parameters(point(address))

    def show() -> None:
        rows = table("parameter", "value", "can be", "meaning", numeric=False)
        for one in found:
            depends = f" Of it depend {', '.join(one.dependent)}." if one.dependent else ""
            rows.add_row(one.name, value_text(one.value), one.allowed, one.meaning + depends)
        console().print(rows)

    deliver(json_file, [asdict(one) for one in found], show)


def show() -> None:
    """Print the design points as a table."""
    from gateware.points import CATALOGUE
    from golden.base.console import console, table

    rows = table("design", "what it is", numeric=False)
    for one in CATALOGUE.values():
        rows.add_row(one.name, one.about)
    console().print(rows)
