"""The longest path of a mapped netlist, as ABC's static timing sees it.

Paths run from an input, register or memory to the next output, register or memory. ABC's gates
have one output, so each full adder stands in the netlist as two half cells that share its input
capacitance. Wires have no length, and nets of more than ``FAN_OUT`` pins get buffers here.
"""

import re
from collections.abc import Iterator
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


def delay_ps(folder: Path, netlist: dict, library: Library, *, task: str, timeout: float) -> float:
    """Return the longest path in ps.

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
    text, gates = blif(netlist, library)
    if not gates:
        return 0.0
    (folder / "timing.blif").write_text(text, encoding="utf-8")
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
    return float(found[-1])


def blif(netlist: dict, library: Library) -> tuple[str, int]:
    """Return the gates of a netlist as BLIF, and how many there are."""
    halved = full_adder(library)
    adder = halved[0].name if halved else None
    starts: dict[str, None] = {}
    ends: dict[str, None] = {}
    gates = []
    for port in netlist["ports"].values():
        nets = _nets(port["bits"])
        (starts if port["direction"] == "input" else ends).update(dict.fromkeys(nets))
    for cell in netlist["cells"].values():
        known = library.cells.get(cell["type"])
        nets = {pin: list(_nets(bits)) for pin, bits in cell["connections"].items()}
        if known is None or known.sequential:
            outputs = _outputs(known)
            for pin, names in nets.items():
                (starts if pin in outputs else ends).update(dict.fromkeys(names))
            continue
        inputs = " ".join(f"{pin}={nets[pin][0]}" for pin in known.pins("input"))
        for pin in known.pins("output"):
            if nets.get(pin):
                name = _half(known, pin) if known.name == adder else known.name
                gates.append(f".gate {name} {inputs} {pin}={nets[pin][0]}")
    # A constant is an input that is there from the start.
    starts.update(dict.fromkeys(("const0", "const1")))
    lines = [
        ".model timing",
        _listing(".inputs", starts),
        _listing(".outputs", {net: None for net in ends if net not in starts}),
        *gates,
        ".end\n",
    ]
    return "\n".join(lines), len(gates)


def _nets(bits: list) -> Iterator[str]:
    """Yield the names of a port's nets; Yosys gives constants as texts."""
    for bit in bits:
        yield f"n{bit}" if isinstance(bit, int) else f"const{int(bit == '1')}"


def _outputs(cell: Cell | None) -> set[str]:
    """Return the output pins of a register, or of a memory that is no cell."""
    return set(cell.pins("output")) if cell else {STORAGE_OUTPUT}


def _listing(keyword: str, nets: dict[str, None]) -> str:
    return " ".join([keyword, *nets])


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
