"""The shortest clock period by static timing analysis: OpenSTA, where it is installed.

Unlike ABC's estimate this has the registers in it, from clock to output and the set-up time, and
the slews that they start with. Memories are no cells: what they give comes with the clock's edge,
and what they take must be there at the next. The clock reaches all registers at once.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from gateware.yosys import run_tool
from golden.base.errors import ToolError
from golden.base.tools import Tool, program
from synth.libraries.liberty import Library
from synth.libraries.syntax import write
from synth.mapping.netlist import CutNetlist, Place
from synth.timing.arcs import clocks

PROGRAM = "sta"
PACKAGE = "opensta"
CLOCK = "kllm_clock"
PERIOD = 1.0  # ps; only the slack counts
# Without the nets' load OpenSTA adds wires where a library has a wire load by default.
SCRIPT = """\
{libraries}
read_verilog timing.v
link_design timing
set_cmd_units -time ps
create_clock -name {clock} -period {period} {port}
set_input_delay 0 -clock {clock} [all_inputs]
set_output_delay 0 -clock {clock} [all_outputs]
set_load 0 [get_nets *]
report_checks -path_delay max -format full -digits 6
exit
"""
SLACK = re.compile(r"^\s*(-?[\d.]+)\s+slack \((?:MET|VIOLATED)\)", re.M)
ENDS = re.compile(r"^Startpoint: (\S+).*?^Endpoint: (\S+)", re.M | re.S)
# OpenSTA complains, leaves out what it does not understand, and goes on: a number then means
# nothing. The one thing that it says of sound files is about the clock's own port.
LIBRARY = re.compile(r"^\s*library\s*\([^)]*\)", re.M)
COMPLAINT = re.compile(r"^(?:Error|Warning): (?!.*clock defined on the same port)(.*)$", re.M)
LIBERTY_LINE = re.compile(r"used(\d+)\.lib,? line (\d+),?")


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
    library: Library,
    *,
    task: str,
    timeout: float,
) -> tuple[float, Place | None, Place | None]:
    """Return the shortest clock period.

    Parameters
    ----------
    folder : Path
        For temporary files.
    cut : CutNetlist
        The netlist, with its buffers.
    library : Library
        Whose cells these are.
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
        When OpenSTA fails, takes too long or does not understand everything.
    """
    kinds = {cell.kind for cell in (*cut.gates, *cut.registers)}
    # Names of our own: theirs may be words of Verilog, or have signs that mean something there.
    called = {kind: f"cell{n}" for n, kind in enumerate(sorted(kinds))}
    names = [f"used{n}.lib" for n in range(len(library.groups))]
    for name, group in zip(names, library.groups.values(), strict=True):
        # Parts of one library have one name, of which OpenSTA reads the first alone.
        text = LIBRARY.sub(f"library ({Path(name).stem})", write(group, called), count=1)
        (folder / name).write_text(text, encoding="utf-8")
    verilog = "\n".join(_verilog(cut, library, called))
    (folder / "timing.v").write_text(verilog, encoding="utf-8")
    script = SCRIPT.format(
        libraries="\n".join(f"read_liberty {name}" for name in names),
        clock=CLOCK,
        period=PERIOD,
        port=f"[get_ports {CLOCK}]" if cut.registers else "",
    )
    (folder / "timing.tcl").write_text(script, encoding="utf-8")
    log = _run(folder, task, timeout)
    if complaint := COMPLAINT.search(log):
        files = [path.name for path in library.files]
        text = LIBERTY_LINE.sub(lambda at: f"{files[int(at[1])]}, line {at[2]}:", complaint[1])
        raise ToolError(f"{task}: OpenSTA says: {text}")
    if "No paths found" in log and not cut.registers:
        return 0.0, None, None
    slack, ends = SLACK.search(log), ENDS.search(log)
    if slack is None or ends is None:
        last = log.strip().splitlines()[-1:] or ["nothing"]
        raise ToolError(f"{task}: OpenSTA gives no path; it says: {last[0]}")
    period = PERIOD - float(slack[1])
    if cut.registers and period <= 0:
        raise ToolError(f"{task}: OpenSTA gives a delay of {period:g} ps with registers")
    start, end = (_place(name, cut) for name in ends.groups())
    return period, start, end


def _place(name: str, cut: CutNetlist) -> Place | None:
    """Return where a register or port of the Verilog stands in the design."""
    if name.startswith("r"):
        return cut.registers[int(name[1:])].place
    return cut.starts.get(name) or cut.ends.get(name)


def _verilog(cut: CutNetlist, library: Library, called: Mapping[str, str]) -> Iterator[str]:
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
    for number, gate in enumerate(cut.gates):
        yield f"{called[gate.kind]} g{number} ({_pins({**gate.inputs, **gate.outputs})});"
    for number, register in enumerate(cut.registers):
        clock = dict.fromkeys(clocks(library.cells[register.kind]), CLOCK)
        pins = _pins({**register.inputs, **register.outputs, **clock})
        yield f"{called[register.kind]} r{number} ({pins});"
    yield "endmodule\n"


def _pins(nets: Mapping[str, str]) -> str:
    """Return what is at a cell's pins; their names may be keywords or have any sign."""
    return ", ".join(f".\\{pin} ({net})" for pin, net in nets.items())


def _run(folder: Path, task: str, timeout: float) -> str:
    program = shutil.which(PROGRAM)
    if program is None:
        raise ToolError(f"{task}: no {PROGRAM} on PATH: run `apt-get install {PACKAGE}`")
    command = [program, "-no_splash", "-exit", "timing.tcl"]
    return run_tool(command, "", folder, "OpenSTA", task, timeout)
