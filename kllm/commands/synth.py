"""The command ``kllm synth``."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from golden.base.errors import InputError, ToolError

if TYPE_CHECKING:
    from gateware.design import Design
    from synth.area.area import Area

EXAMPLES = """
Examples:

kllm synth small  -  area and delay in the default library

kllm synth tiny small --blocks --cells  -  each part's area, memories, which cells

kllm synth tiny --liberty osu035  -  another library of Debian's qflow

kllm synth tiny --liberty sky130A  -  one below $PDK_ROOT; or KIT/CELLS, or FILE.lib.gz

kllm synth --all --json areas.json  -  every design point, numbers in a file

kllm synth orizuru_stream_16 --fpga ecp5-85k  -  lookup tables and clock rate in an FPGA

kllm synth tiny --baseline  -  has an area moved? --update-baseline accepts it
"""


def synth(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="DESIGN", help="Design points.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All design points.")] = False,
    liberty: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FILE[,FILE...]",
            help="Cell library: osu018, osu035, osu050, a kit below $PDK_ROOT (sky130A, gf180mcu,"
            " ihp-sg13g2; KIT/CELLS for other cells of it), or Liberty files, gzipped or not."
            " Default: OSU 0.18 um, or what KLLM_LIBERTY names.",
        ),
    ] = None,
    avoid: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Cells not to use, such as '*_probe*'; repeatable."),
    ] = None,
    macros: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Liberty file of your memory macros, for the area of memories; repeatable.",
        ),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the numbers as JSON.")
    ] = None,
    blocks: Annotated[
        bool, typer.Option("--blocks", help="Show the area of each component and memory.")
    ] = False,
    cells: Annotated[bool, typer.Option("--cells", help="Show how many of each cell.")] = False,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=1.0, help="Time limit for each component.")
    ] = 600.0,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Runs at a time; default: every core.")
    ] = None,
    fpga: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICE", help="Place and route in an FPGA instead: ecp5-25k, -45k, -85k."
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--baseline", help="Compare with synth/area/baseline.json.")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update-baseline", help="Write the figures into that file.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Measure again what has been measured before.")
    ] = False,
) -> None:
    """Measure the area and delay of design points in a standard-cell library.

    Each distinct component is synthesised once, and the total comes from counts. What has been
    measured is kept in build/synth (or the folder KLLM_CACHE names; empty: nowhere).
    """
    if (check or update) and (liberty or avoid):
        raise InputError("the baseline is in the default library: leave --liberty and --avoid out")
    if fpga and (liberty or avoid or macros or check or update or blocks or cells):
        raise InputError("--fpga goes with --json, --all, --timeout and --fresh alone")
    designs = choose(names or [], every)
    if fpga:
        from synth.fpga.fpga_table import run_fpga

        run_fpga(designs, fpga, json_file, timeout, fresh)
        return
    from golden.base.files import require_writable, write_whole
    from synth.area.area import as_json
    from synth.area.cache import Cache
    from synth.area.tables import print_areas, print_blocks, print_cells, print_memories
    from synth.libraries.liberty import read
    from synth.libraries.libraries import load

    if json_file is not None:
        require_writable(json_file)
    library = load(liberty or [], avoid or [])
    options: dict[str, Any] = {"timeout": timeout, "jobs": jobs}
    if macros:
        options["own_macros"] = read(macros)
    if fresh:
        options["cache"] = Cache(None)
    areas = with_progress(designs, library, options)
    if json_file is not None:
        write_whole(json_file, json.dumps([as_json(area) for area in areas], indent=2) + "\n")
    print_areas(areas)
    for area in areas:
        if blocks:
            print_blocks(area)
            print_memories(area)
        if cells:
            print_cells(area)
    if update:
        write_baseline(areas)
    elif check:
        compare_with_baseline(areas)


def choose(names: Sequence[str], every: bool) -> "list[Design]":
    """Return the designs that the user named.

    Raises
    ------
    InputError
        When one does not exist, or none is named.
    """
    from gateware.catalog import DESIGNS, design

    if every:
        return list(DESIGNS)
    if not names:
        raise InputError("name design points (`kllm verilog --list` has them), or say --all")
    return [design(name) for name in dict.fromkeys(names)]


def write_baseline(areas: "Sequence[Area]") -> None:
    """Write figures into the baseline, and say what moved."""
    from gateware.catalog import CATALOG
    from synth.area.baseline import FILE, deltas, load, table, update

    moved = [d for d in deltas(load(), areas) if d.change] if FILE.is_file() else []
    update(areas, CATALOG)
    if moved:
        typer.echo(table(moved))
    typer.echo(f"{FILE} has the figures of {len(areas)} designs now")


def compare_with_baseline(areas: "Sequence[Area]") -> None:
    """Print how far areas are from the baseline; fail when one moved too far.

    Raises
    ------
    ToolError
        When one did, or is not in the baseline.
    """
    from gateware.catalog import CATALOG
    from synth.area.baseline import TOLERANCE, UPDATE, deltas, differences, drifted, load, table

    baseline = load()
    typer.echo(table(deltas(baseline, areas)))
    if drifted(baseline, areas):
        raise ToolError(f"areas moved by more than {TOLERANCE:.0%}: if that is meant, `{UPDATE}`")
    if missing := differences(baseline, CATALOG):
        raise ToolError(missing)


def with_progress(designs: "Sequence[Design]", library, options: dict[str, Any]) -> "list[Area]":
    """Measure designs, and show what has just been done."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from synth.area.cache import default_cache
    from synth.area.measure import measure_all

    cache = options.pop("cache", None) or default_cache()
    columns = (
        TextColumn("synthesis: {task.completed} parts done, last"),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, SpinnerColumn(), TimeElapsedColumn(), transient=True) as progress:
        task = progress.add_task("", total=None)

        def done(part: str) -> None:
            progress.update(task, description=part, advance=1)

        areas = measure_all(designs, library, cache=cache, progress=done, **options)
    if cache.complaint:
        Console(stderr=True).print(cache.complaint, markup=False, highlight=False, soft_wrap=True)
    return areas
