"""The longest path of a mapped netlist, as ABC's static timing sees it.

Paths run from an input, register or memory to the next output, register or memory. ABC's gates
have one output, so each full adder stands in the netlist as two half cells that share its input
capacitance. Wires have no length, and nets of more than ``FAN_OUT`` pins get buffers here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateware.yosys import run_abc
from golden.errors import ToolError
from synth.functions import full_adder
from synth.liberty import Cell, Library, text_of

FAN_OUT = 16
STORAGE_OUTPUT = "RD_DATA"
CAPACITANCE = re.compile(r"(?<!\w)((?:rise_|fall_)?capacitance\s*:\s*\"?)([\d.eE+-]+)")
AREA = re.compile(r"(?<!\w)(area\s*:\s*\"?)([\d.eE+-]+)")
DELAY = re.compile(r"Delay\s*=\s*([\d.]+)\s*ps")
ENDS = re.compile(r"Start-point = pi(\d+).*End-point = po(\d+)")


@dataclass(frozen=True)
class LongestPath:
    """The longest path: its delay, and the nets where it starts and ends."""

    ps: float
    start: str = ""
    end: str = ""


def longest_path(
    folder: Path, netlist: dict, library: Library, *, task: str, timeout: float
) -> LongestPath:
    """Return the longest path.

    Parameters
    ----------
    folder : Path
        For temporary files.
    netlist : dict
        The flat top module as Yosys' ``write_json`` describes it.
    library : Library
        Whose cells these are.
    task, timeout
        As for :func:`gateware.yosys.run_abc`.
    """
    cut = cut_netlist(netlist, library)
    if not cut.gates:
        return LongestPath(0.0)
    (folder / "timing.blif").write_text(cut.blif(), encoding="utf-8")
    commands = []
    for number, liberty in enumerate(timing_libraries(library)):
        name = f"timing{number}.lib"
        (folder / name).write_text(liberty, encoding="utf-8")
        commands.append(f"read_lib {'-m ' if number else ''}-w {name}")
    commands += ["read_blif timing.blif", "topo", f"buffer -c -N {FAN_OUT}", "topo", "stime -p"]
    log = run_abc(folder, commands, task=task, timeout=timeout)
    found = DELAY.findall(log)
    if not found:
        last = log.strip().splitlines()[-1:] or ["nothing"]
        raise ToolError(f"{task}: ABC gives no delay; it says: {last[0]}")
    names = _net_names(netlist)
    ends = ENDS.search(log)
    start = names.get(cut.starts[int(ends[1])], "") if ends else ""
    end = names.get(list(cut.ends.values())[int(ends[2])], "") if ends else ""
    return LongestPath(float(found[-1]), start, end)


@dataclass(frozen=True)
class CutNetlist:
    """The gates of a netlist, as lines of BLIF, and the nets on either side of them.

    Each end has the net that it is known by: a register's input goes by the register's output.
    """

    starts: list[str]
    ends: dict[str, str]
    gates: list[str]

    def blif(self) -> str:
        """Return the whole text."""
        inputs, outputs = " ".join(self.starts), " ".join(self.ends)
        head = [".model timing", f".inputs {inputs}", f".outputs {outputs}"]
        return "\n".join([*head, *self.gates, ".end\n"])


def cut_netlist(netlist: dict, library: Library) -> CutNetlist:
    """Take the registers and memories out of a netlist; what they drove are inputs now."""
    halved = full_adder(library)
    adder = halved[0].name if halved else None
    starts: dict[str, None] = {}
    ends: dict[str, str] = {}
    gates = []
    for port in netlist["ports"].values():
        nets = list(_nets(port["bits"]))
        if port["direction"] == "input":
            starts.update(dict.fromkeys(nets))
        else:
            ends.update(zip(nets, nets, strict=True))
    for cell in netlist["cells"].values():
        known = library.cells.get(cell["type"])
        nets = {pin: list(_nets(bits)) for pin, bits in cell["connections"].items()}
        if known is None or known.sequential:
            outputs = [pin for pin in nets if pin in _outputs(known)]
            starts.update((net, None) for pin in outputs for net in nets.pop(pin))
            stored = next(_nets(cell["connections"][outputs[0]])) if outputs else ""
            ends.update((net, stored) for names in nets.values() for net in names)
            continue
        inputs = " ".join(f"{pin}={nets[pin][0]}" for pin in known.pins("input"))
        for pin in known.pins("output"):
            if nets.get(pin):
                name = _half(known, pin) if known.name == adder else known.name
                gates.append(f".gate {name} {inputs} {pin}={nets[pin][0]}")
    # A constant is an input that is there from the start.
    starts.update(dict.fromkeys(("const0", "const1")))
    ends = {net: known for net, known in ends.items() if net not in starts}
    return CutNetlist(list(starts), ends, gates)


def _net_names(netlist: dict) -> dict[str, str]:
    """Return a readable name of each net: of several the shortest, no made-up one if possible."""
    names: dict[str, str] = {}
    for name, net in netlist["netnames"].items():
        for index, bit in enumerate(net["bits"]):
            full = f"{name}[{index}]" if len(net["bits"]) > 1 else name
            known = names.get(f"n{bit}")
            if known is None or ("$" in known, len(known)) > ("$" in full, len(full)):
                names[f"n{bit}"] = full
    return names


def _nets(bits: list) -> Iterator[str]:
    """Yield the names of a port's nets; Yosys gives constants as texts."""
    for bit in bits:
        yield f"n{bit}" if isinstance(bit, int) else f"const{int(bit == '1')}"


def _outputs(cell: Cell | None) -> set[str]:
    """Return the output pins of a register, or of a memory that is no cell."""
    return set(cell.pins("output")) if cell else {STORAGE_OUTPUT}


def _half(adder: Cell, output: str) -> str:
    return f"{adder.name}_half_{output}"


def timing_libraries(library: Library) -> Iterator[str]:
    """Yield the text of each Liberty file, with the half cells of the full adder added."""
    found = full_adder(library)
    for path in library.files:
        text = text_of(path)
        if found and found[0].source == path:
            adder = found[0]
            end = adder.library.end - 1
            text = text[:end] + "".join(_half_cells(adder, text)) + text[end:]
        yield text


def _half_cells(adder: Cell, text: str) -> Iterator[str]:
    """Yield the cell's text once per output, without the other one, and half as large."""
    group = adder.group
    for kept in adder.pins("output"):
        removed = [pin for pin in adder.pins("output").values() if pin.name != kept]
        half = text[group.start : removed[0].start] + text[removed[0].end : group.end]
        half = re.sub(r"cell\s*\([^)]*\)", f"cell ({_half(adder, kept)})", half, count=1)
        for pattern in (CAPACITANCE, AREA):
            half = pattern.sub(lambda found: f"{found[1]}{float(found[2]) / 2:.9g}", half)
        yield f"\n{half}\n"
