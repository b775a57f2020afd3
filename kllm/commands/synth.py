"""The command ``kllm synth``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from golden.base.errors import ToolError
from kllm.options import (
    Designs,
    Json,
    Liberty,
    Sets,
    SpecFile,
    Timeout,
    chosen_designs,
    refuse,
)
from kllm.results import deliver, require_json

if TYPE_CHECKING:
    from gateware.design import Design
    from synth.area.area import Area

EXAMPLES = """
Examples:

kllm synth small  -  area and delay in the default library

kllm synth tiny small --blocks --cells  -  each part's area, memories, which cells

kllm synth tiny --set output_lanes=8 --no-delay  -  the area of one with sizes of your own

kllm synth tiny --liberty osu035  -  another library of Debian's qflow

kllm synth tiny --liberty sky130A  -  one below $PDK_ROOT; or KIT/CELLS, or FILE.lib.gz

kllm synth --all --json areas.json  -  every design point, numbers in a file

kllm synth orizuru_stream_16 --fpga ecp5-85k  -  lookup tables and clock rate in an FPGA

kllm synth tiny --baseline  -  has an area moved? --update-baseline accepts it
"""


def command(
    context: typer.Context,
    names: Designs = None,
    every: Annotated[bool, typer.Option("--all", help="All design points.")] = False,
    sets: Sets = None,
    spec: SpecFile = None,
    liberty: Liberty = None,
    avoid: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Cells not to use, such as '*_probe*'; repeatable."),
    ] = None,
    macros: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Liberty file of your memory macros, called as in docs/blocks.md or with a"
            " memory group, for the area of memories; repeatable.",
        ),
    ] = None,
    json_file: Json = None,
    blocks: Annotated[
        bool, typer.Option("--blocks", help="Show the area of each component and memory.")
    ] = False,
    cells: Annotated[bool, typer.Option("--cells", help="Show how many of each cell.")] = False,
    timeout: Timeout = 600.0,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Runs at a time; default: every core.")
    ] = None,
    fpga: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICE",
            help="Place and route in an FPGA instead: ecp5-25k, ecp5-45k or ecp5-85k.",
        ),
    ] = None,
    delay: Annotated[bool, typer.Option(help="Measure delays, too: most of the time.")] = True,
    check: Annotated[
        bool, typer.Option("--baseline", help="Compare with synth/baseline.json.")
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
    measured is kept in build/cache (or the folder KLLM_CACHE names; empty: nowhere).
    """
    if check or update:
        refuse(context, "the baseline is in the default library", "liberty", "avoid")
    if fpga:
        asic = ("liberty", "avoid", "macros", "check", "update", "blocks", "cells", "jobs")
        refuse(context, "an FPGA has no cells", *asic)
    if every or check or update:
        refuse(context, "the catalogue's designs have their own sizes", "sets", "spec")
    designs = chosen_designs(names, every=every, sets=sets, spec=spec)
    require_json(json_file)
    if fpga:
        fit_all(designs, fpga, json_file, timeout, fresh=fresh)
        return
    from golden.base.cache import Cache, default_cache
    from synth.area.area import as_json
    from synth.area.tables import print_all
    from synth.libraries.liberty import read
    from synth.libraries.libraries import load

    library = load(liberty or [], avoid or [])
    options: dict[str, Any] = {"own_macros": read(macros)} if macros else {}
    cache = Cache(None) if fresh else default_cache()
    options |= {"timeout": timeout, "jobs": jobs, "timed": delay}
    areas = measure(designs, library, cache, **options)
    figures = [as_json(area) for area in areas]
    deliver(json_file, figures, lambda: print_all(areas, blocks=blocks, cells=cells))
    if update:
        write_baseline(areas)
    elif check:
        compare_with_baseline(areas)


def measure(designs: "list[Design]", library: Any, cache: Any, **options: Any) -> "list[Area]":
    """Measure designs, and say what has just been done."""
    from golden.base.console import working
    from synth.area.measure import measure_all

    with working() as say:
        say("synthesis")
        areas = measure_all(
            designs,
            library,
            cache=cache,
            progress=lambda part: say("synthesis", None, part),
            **options,
        )
    if cache.complaint:
        typer.echo(cache.complaint, err=True)
    return areas


def fit_all(
    designs: "list[Design]", device: str, json_file: Path | None, timeout: float, *, fresh: bool
) -> None:
    """Place and route designs in an FPGA."""
    from golden.base.cache import Cache, default_cache
    from golden.base.console import working
    from synth.fpga.fpga import fit
    from synth.fpga.fpga_table import print_fits

    cache = Cache(None) if fresh else default_cache()
    fits = []
    with working() as say:
        for design in designs:
            say(f"{design.name} on {device}", len(fits) / len(designs))
            fits.append(fit(design, device, timeout=timeout, cache=cache))
    deliver(json_file, [asdict(one) for one in fits], lambda: print_fits(fits))


def write_baseline(areas: "list[Area]") -> None:
    """Write figures into the baseline, and say what moved."""
    from gateware.points import CATALOGUE
    from synth.area.baseline import FILE, deltas, load, table, update

    moved = [d for d in deltas(load(), areas) if d.change] if FILE.is_file() else []
    update(areas, CATALOGUE)
    if moved:
        typer.echo(table(moved))
    typer.echo(f"{FILE} has the figures of {len(areas)} designs now")


def compare_with_baseline(areas: "list[Area]") -> None:
    """Print how far areas are from the baseline; fail when one moved too far.

    Raises
    ------
    ToolError
        When one did, or is not in the baseline.
    """
    from gateware.points import CATALOGUE
    from synth.area.baseline import TOLERANCE, UPDATE, deltas, differences, drifted, load, table

    baseline = load()
    typer.echo(table(deltas(baseline, areas)))
    if drifted(baseline, areas):
        raise ToolError(f"areas moved by more than {TOLERANCE:.0%}: if that is meant, `{UPDATE}`")
    if missing := differences(baseline, CATALOGUE):
        raise ToolError(missing)
