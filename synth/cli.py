"""The command ``kllm synth``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from synth.area import Area

EXAMPLES = """
Examples:

kllm synth small  -  area and delay in the default library

kllm synth tiny small --blocks  -  the area of each part, too

kllm synth tiny --liberty cells.lib.gz --json area.json  -  another library, numbers in a file
"""


def synth(
    names: Annotated[list[str], typer.Argument(metavar="DESIGN", help="Design points.")],
    liberty: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Cell library (Liberty, may be gzipped; again for a library in several files)."
            " Default: OSU 0.18 um, or what KLLM_LIBERTY names.",
        ),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the numbers as JSON.")
    ] = None,
    blocks: Annotated[bool, typer.Option("--blocks", help="Show the area of each module.")] = False,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=1.0, help="Time limit for each design.")
    ] = 600.0,
) -> None:
    """Measure the area and delay of design points in a standard-cell library."""
    from gateware.catalog import design
    from golden.files import make_folder, write_whole
    from synth.area import as_json
    from synth.liberty import read
    from synth.tools import default_liberty

    designs = [design(name) for name in dict.fromkeys(names)]
    if json_file is not None:
        make_folder(json_file.parent)
    library = read(liberty or [default_liberty()])
    areas = measure_all(designs, library, timeout)
    if json_file is not None:
        write_whole(json_file, json.dumps([as_json(area) for area in areas], indent=2) + "\n")
    print_areas(areas)
    if blocks:
        for area in areas:
            print_blocks(area)


def measure_all(designs: list, library, timeout: float) -> "list[Area]":
    """Measure each design, with a progress bar."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from synth.area import measure

    areas = []
    columns = (*Progress.get_default_columns()[:2], SpinnerColumn(), TimeElapsedColumn())
    with Progress(TextColumn("synthesis"), *columns, transient=True) as progress:
        task = progress.add_task("", total=len(designs))
        for one in designs:
            progress.update(task, description=one.name)
            areas.append(measure(one, library, timeout))
            progress.advance(task)
    return areas


def print_areas(areas: "list[Area]") -> None:
    """Print the designs as a table, and below what the units are."""
    from rich.console import Console
    from rich.table import Table

    table = Table("design")
    for title in ("area", "GE", "seq.", "FFs", "mem. bits", "delay ps", "FO4"):
        table.add_column(title, justify="right")
    for area in areas:
        share = area.ge_sequential / area.ge if area.ge else 0.0
        table.add_row(
            area.design,
            f"{area.area:,.0f}",
            f"{area.ge:,.0f}",
            f"{share:.0%}",
            f"{area.flip_flops:,}",
            f"{area.memory_bits:,}",
            f"{area.delay_ps:,.0f}",
            f"{area.delay_fo4:.0f}",
        )
    console = Console()
    console.print(table)
    console.print(caption(areas[0]), markup=False, highlight=False)


def caption(area: "Area") -> str:
    """Say what the columns mean, and where the units come from."""
    from synth.area import MEMORY_BITS
    from synth.timing import FAN_OUT

    return (
        f"Library {area.library}, Yosys {area.yosys}, mapped for least area. Area in the library's"
        f" unit, without wires. GE (gate equivalents): area / {area.nand2_area:g}, that of"
        f" {area.nand2}, the library's smallest 2-input NAND; seq.: the share of flip-flops (FFs)."
        f" Mem. bits: memories above {MEMORY_BITS} bits, not in the area. Delay: longest path"
        f" between registers, memories and ports by ABC's estimate, no wires, nets of more than"
        f" {FAN_OUT} pins buffered (buffers not in the area). FO4: delay / {area.fo4_ps:.1f} ps,"
        f" that of {area.inverter} driving four of its kind, from the library's tables."
    )


def print_blocks(area: "Area") -> None:
    """Print what each module of a design adds."""
    from rich.console import Console
    from rich.table import Table

    table = Table("module", title=area.design)
    for title in ("copies", "GE each", "of it seq.", "GE all", "share"):
        table.add_column(title, justify="right")
    for block in sorted(area.blocks, key=lambda block: -block.ge * block.copies):
        whole = block.ge * block.copies
        table.add_row(
            block.module.removeprefix(f"{area.design}_"),
            f"{block.copies}",
            f"{block.ge:,.1f}",
            f"{block.ge_sequential:,.1f}",
            f"{whole:,.0f}",
            f"{whole / area.ge:.1%}" if area.ge else "",
        )
    console = Console()
    console.print(table)
    path = f"Longest path of {area.design}: from {area.path_start} to {area.path_end}"
    console.print(path, markup=False, highlight=False, soft_wrap=True)
