"""Energy of a part alone: its gates on stimuli that are given, a row of them after another."""

import subprocess
import tempfile
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from amaranth.hdl import Const, Value
from amaranth.lib import data
from amaranth.lib.wiring import In

from gateware.design import Design
from golden.base.errors import ToolError
from golden.base.process import run_limited
from hw.stream.share import looked_at
from synth.libraries.liberty import Library
from synth.power.activity import read_activity
from synth.power.power import DUMP, Energy, energy, flat_gates

RESET = 2  # cycles
LIMIT = 600.0  # seconds of the processor's time
# What ports get in a cycle, by their names in Verilog: integers, or what their layouts take; those
# that are not named get zeros.
Cycle = Mapping[str, Any]
Rows = Sequence[Sequence[Cycle]]


def row_energy(design: Design, rows: Rows, library: Library, clock_ps: float) -> Energy:
    """Return the energy of all rows but the first.

    Parameters
    ----------
    design : Design
        One that has a clock.
    rows : Rows
        All take as many cycles. The first one fills the part.
    library : Library
        Its cells.
    clock_ps : float
        Clock period, for leakage.

    Raises
    ------
    ToolError
        When Icarus Verilog is missing, fails or takes too long.
    """
    gates = flat_gates(design, library)
    ports = _inputs(looked_at(design.make()), gates.netlist["ports"])
    cycles = [{"rst": 1}] * RESET + [cycle for row in rows for cycle in row]
    length = len(rows[0])
    with tempfile.TemporaryDirectory(prefix="kllm-") as scratch:
        folder = Path(scratch)
        words = [_word(ports, cycle) for cycle in cycles]
        (folder / "stimuli.hex").write_text("\n".join(f"{word:x}" for word in words))
        bench = "\n".join(_bench(design.name, ports, len(cycles)))
        (folder / "bench.v").write_text(f"{gates.verilog}\n{bench}\n", encoding="utf-8")
        for command in (["iverilog", "-g2005", "-o", "bench", "bench.v"], ["vvp", "-n", "bench"]):
            _run(command, folder, design.name)
        first = RESET + length
        activity = read_activity(folder / DUMP, "clk", first, RESET + length * len(rows) - 1)
    return energy(design.name, gates.netlist, activity, library, clock_ps=clock_ps)


def _run(command: list[str], folder: Path, name: str) -> None:
    try:
        status, said = run_limited(
            command,
            over=f"energy of {name}: not done after {LIMIT:g} s, stopped",
            limit=LIMIT,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except FileNotFoundError:
        text = f"Icarus Verilog's {command[0]} is not on PATH: run `apt-get install iverilog`"
        raise ToolError(text) from None
    if status:
        raise ToolError(f"energy of {name}: {command[0]} ended with status {status}: {said[-500:]}")


def _inputs(block: Any, kept: Container[str]) -> dict[str, Any]:
    """Return the shapes and bits of the inputs of a component, and of its reset."""
    found: dict[str, Any] = {"rst": (1, 1)}
    for path, member, value in block.signature.flatten(block):
        if member.flow == In:
            found["__".join(map(str, path))] = member.shape, len(Value.cast(value))
    return {name: port for name, port in found.items() if name in kept}


def _word(ports: Mapping[str, Any], cycle: Cycle) -> int:
    """Return what the ports get in a cycle, side by side."""
    word = place = 0
    for name, (shape, bits) in ports.items():
        value = cycle.get(name, 0)
        if isinstance(shape, data.Layout) and not isinstance(value, int):
            value = Value.cast(shape.const(value))
            assert isinstance(value, Const)
            value = value.value
        word |= (int(value) & ((1 << bits) - 1)) << place
        place += bits
    return word


def _bench(name: str, ports: Mapping[str, Any], cycles: int) -> Iterator[str]:
    """Yield a test bench that applies a word in each cycle, between two rising edges."""
    total = sum(bits for _, bits in ports.values())
    yield "module bench;"
    yield f"  reg clk = 0; reg [{total - 1}:0] stimuli [0:{cycles - 1}]; reg [{total - 1}:0] word;"
    yield "  integer n;"
    joined, place = [".clk(clk)"], 0
    for port, (_, bits) in ports.items():
        joined.append(f".{port}(word[{place} +: {bits}])")
        place += bits
    yield f"  \\{name} block ({', '.join(joined)});"
    yield '  initial begin $readmemh("stimuli.hex", stimuli);'
    yield f"    for (n = 0; n < {cycles}; n = n + 1) begin"
    yield "      word = stimuli[n]; #5 clk = 1; #5 clk = 0; end"
    yield "    $finish; end"
    yield "endmodule"
