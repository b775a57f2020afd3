"""``kllm synth --fpga``: designs in an FPGA, as a table."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from gateware.design import Design
from golden.base.files import require_writable, write_whole
from synth.area.cache import Cache, default_cache
from synth.fpga.fpga import Fit, fit


def run_fpga(
    designs: Sequence[Design], device: str, json_file: Path | None, timeout: float, fresh: bool
) -> None:
    """Place and route designs, print a table, write the figures as JSON if a file is named.

    Raises
    ------
    InputError
        When there is no such device or the file cannot be written.
    ToolError
        When a tool is missing or fails.
    """
    if json_file is not None:
        require_writable(json_file)
    cache = Cache(None) if fresh else default_cache()
    fits = []
    columns = (TextColumn("{task.description}"), SpinnerColumn(), TimeElapsedColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task("", total=None)
        for design in designs:
            progress.update(task, description=f"{design.name} on {device}")
            fits.append(fit(design, device, timeout=timeout, cache=cache))
    if json_file is not None:
        write_whole(json_file, json.dumps([asdict(one) for one in fits], indent=2) + "\n")
    print_fits(fits)


def print_fits(fits: Sequence[Fit]) -> None:
    """Print what designs take, and below what the columns mean."""
    table = Table("design")
    for title in ("LUTs", "share", "FFs", "block RAMs", "multipliers", "Fmax MHz", "pins"):
        table.add_column(title, justify="right")
    for one in fits:
        table.add_row(
            one.design,
            f"{one.luts:,}",
            f"{one.luts / one.luts_available:.1%}",
            f"{one.flip_flops:,}",
            f"{one.block_rams}",
            f"{one.multipliers}",
            "-" if one.fmax_mhz is None else f"{one.fmax_mhz:.1f}",
            "yes" if one.pins else "no",
        )
    console = Console()
    console.print(table)
    first = fits[0]
    console.print(
        f"{first.device}, Yosys {first.yosys}, nextpnr {first.nextpnr}. Fmax: of the routed design,"
        " by nextpnr's timing, one seed. Pins: no - more ports than pins, placed as a part of"
        " something larger.",
        markup=False,
        highlight=False,
    )
