"""The shortest clock period by static timing analysis: OpenSTA, where it is installed.

Unlike ABC's estimate this has the registers in it, from clock to output and the set-up time, and
the slews that they start with. Memories are no cells: what they give comes with the clock's edge,
and what they take must be there at the next. The clock reaches all registers at once.
"""

import re
import shutil
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from gateware.yosys import run_tool
from golden.base.errors import ToolError
from golden.base.tools import Tool, program
from synth.area.netlist import CutNetlist, Place
from synth.libraries.fo4 import SECONDS, time_unit
from synth.libraries.liberty import Cell, Library

PROGRAM = "sta"
PACKAGE = "opensta"
CLOCK = "kllm_clock"
PERIOD = 1.0  # of the library's unit of time: only the slack counts
SCRIPT = """\
{libraries}
read_verilog timing.v
link_design timing
create_clock -name {clock} -period {period} {port}
set_input_delay 0 -clock {clock} [all_inputs]
set_output_delay 0 -clock {clock} [all_outputs]
report_checks -path_delay max -format full -digits 6
exit
"""
SLACK = re.compile(r"^\s*(-?[\d.]+)\s+slack \((?:MET|VIOLATED)\)", re.M)
ENDS = re.compile(r"^Startpoint: (\S+).*?^Endpoint: (\S+)", re.M | re.S)
GATE = re.compile(r"^\.gate\s+(\S+)\s+(.*)$")


@cache
def opensta() -> Tool:
    """Look for OpenSTA."""
    return program(
        PROGRAM, [PROGRAM, "-version"], package=PACKAGE, purpose="static timing", minimum="2"
    )


def method() -> str:
    """Return how OpenSTA's figures are named."""
    return f"OpenSTA {opensta().version}"


def shortest_period(
    folder: Path,
    cut: CutNetlist,
    gates: Sequence[str],
    libraries: Sequence[str],
    library: Library,
    *,
    task: str,
    timeout: float,
) -> tuple[float, Place | None, Place | None]:
    """Return the shortest clock period.

    Parameters
    ----------
    folder : Path
        Has the Liberty files ``libraries``; for temporary files.
    cut : CutNetlist
        The netlist: its registers, and the nets on either side of the gates.
    gates : sequence of str
        The gates as lines of BLIF, with buffers.
    libraries : sequence of str
        Names of the Liberty files.
    library : Library
        What is in them.
    task, timeout
        As for :func:`gateware.yosys.run_abc`.

    Returns
    -------
    period : float
        In ps.
    start, end : Place or None
        Where the longest path starts and ends.

    Raises
    ------
    ToolError
        When OpenSTA fails or takes too long.
    """
    (folder / "timing.v").write_text("\n".join(_verilog(cut, gates, library)), encoding="utf-8")
    script = SCRIPT.format(
        libraries="\n".join(f"read_liberty {name}" for name in libraries),
        clock=CLOCK,
        period=PERIOD,
        port=f"[get_ports {CLOCK}]" if cut.registers else "",
    )
    (folder / "timing.tcl").write_text(script, encoding="utf-8")
    log = _run(folder, task, timeout)
    if "No paths found" in log:
        return 0.0, None, None
    slack, ends = SLACK.search(log), ENDS.search(log)
    if slack is None or ends is None:
        last = log.strip().splitlines()[-1:] or ["nothing"]
        raise ToolError(f"{task}: OpenSTA gives no path; it says: {last[0]}")
    unit = time_unit(next(iter(library.cells.values())).library) / SECONDS["ps"]
    start, end = (_place(name, cut) for name in ends.groups())
    return (PERIOD - float(slack[1])) * unit, start, end


def _place(name: str, cut: CutNetlist) -> Place | None:
    """Return where a register or port of the Verilog stands in the design."""
    if name.startswith("r"):
        return cut.registers[int(name[1:])].place
    return cut.starts.get(name) or cut.ends.get(name)


def _verilog(cut: CutNetlist, gates: Sequence[str], library: Library) -> Iterator[str]:
    """Yield the flat netlist, one clock for all registers."""
    given = {net for register in cut.registers for net in register.outputs.values()}
    taken = {net for register in cut.registers for net in register.inputs.values()}
    # What nothing drives, a constant for instance, is no input: no path starts there.
    inputs = [net for net, place in cut.starts.items() if place and net not in given]
    outputs = [net for net in cut.ends if net not in taken]
    directions = [("input", CLOCK), *(("input", net) for net in inputs)]
    directions += [("output", net) for net in outputs]
    yield f"module timing ({', '.join(net for _, net in directions)});"
    yield from (f"{direction} {net};" for direction, net in directions)
    yield from _instances(cut, gates)
    for number, register in enumerate(cut.registers):
        clocks = _clocks(library.cells[register.kind])
        pins = {**register.inputs, **register.outputs, **dict.fromkeys(clocks, CLOCK)}
        text = ", ".join(f".{pin}({net})" for pin, net in pins.items())
        yield f"{register.kind} r{number} ({text});"
    yield "endmodule\n"


def _instances(cut: CutNetlist, gates: Sequence[str]) -> Iterator[str]:
    """Yield the gates, but for the buffers that stood in for registers with many pins."""
    found = [match for match in map(GATE.match, gates) if match]
    pins = [dict(pin.split("=") for pin in match[2].split()) for match in found]
    behind: dict[str, str] = {}
    for pin in pins:
        first, *others = pin.values()
        if first in cut.spread:
            (behind[first],) = others
    before = {net: start for start, net in behind.items()}
    for number, (match, pin) in enumerate(zip(found, pins, strict=True)):
        if next(iter(pin.values())) not in behind:
            text = ", ".join(f".{name}({before.get(net, net)})" for name, net in pin.items())
            yield f"{match[1]} g{number} ({text});"


def _clocks(cell: Cell) -> list[str]:
    """Return the pins of a register that the clock drives."""
    pins = cell.pins("input")
    texts = [
        group.attributes.get(name, "")
        for kind, name in (("ff", "clocked_on"), ("ff_bank", "clocked_on"), ("latch", "enable"))
        for group in cell.group.of(kind)
    ]
    return [pin for pin in pins if any(pin in re.findall(r"\w+", text) for text in texts)]


def _run(folder: Path, task: str, timeout: float) -> str:
    program = shutil.which(PROGRAM)
    if program is None:
        raise ToolError(f"{task}: no {PROGRAM} on PATH: run `apt-get install {PACKAGE}`")
    command = [program, "-no_splash", "-exit", "timing.tcl"]
    return run_tool(command, "", folder, "OpenSTA", task, timeout)
