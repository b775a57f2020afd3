"""What ``kllm synth --fpga`` prints."""

from collections.abc import Sequence

from golden.base.console import console, note, table
from synth.fpga.fpga import Fit


def print_fits(fits: Sequence[Fit]) -> None:
    """Print what designs take, and below what the columns mean."""
    titles = ("LUTs", "share", "FFs", "block RAMs", "multipliers", "Fmax MHz", "pins")
    rows = table("design", *titles)
    for one in fits:
        rows.add_row(
            one.design,
            f"{one.luts:,}",
            f"{one.luts / one.luts_available:.1%}",
            f"{one.flip_flops:,}",
            f"{one.block_rams}",
            f"{one.multipliers}",
            "-" if one.fmax_mhz is None else f"{one.fmax_mhz:.1f}",
            "yes" if one.pins else "no",
        )
    console().print(rows)
    first = fits[0]
    note(
        f"{first.device}, Yosys {first.yosys}, nextpnr {first.nextpnr}. Fmax: of the routed design,"
        " by nextpnr's timing, one seed. Pins: no - more ports than pins, placed as a part of"
        " something larger."
    )
