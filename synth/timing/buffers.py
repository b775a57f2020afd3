"""Buffers on nets of many pins: one cell alone would take longer than all the rest of the path."""

from golden.base.errors import InputError
from synth.libraries.functions import BUFFER, least
from synth.libraries.liberty import Library
from synth.mapping.netlist import CutNetlist, Gate

# Of the streaming Orizuru, whose nets have most pins, the longest path has 42.1 FO4 with 6 pins,
# 43.4 with 8, 44.7 with 12 and 48.1 with 16 (osu018); fewer pins take more buffers.
FAN_OUT = 8


def put_buffers(cut: CutNetlist, library: Library) -> None:
    """Put buffers onto each net that drives more than ``FAN_OUT`` pins of gates and registers.

    The pins are dealt out evenly, in the order of the cells, to as few of the library's smallest
    buffers as can drive them, and these again to others while they are too many. No cell becomes
    another. Input ports and constants are there at once whatever they drive, and stay as they are.
    """
    try:
        cell = least(library, BUFFER, "buffer")
    except InputError:
        return
    (pin_in,), (pin_out,) = cell.pins("input"), cell.pins("output")
    driven = {net for gate in cut.gates for net in gate.outputs.values()} | cut.stored
    sinks: dict[str, list[tuple[dict[str, str], str]]] = {}
    for one in (*cut.gates, *cut.registers):
        for pin, net in one.inputs.items():
            sinks.setdefault(net, []).append((one.inputs, pin))
    for net, pins in sinks.items():
        if net not in driven:
            continue
        while (count := len(pins)) > FAN_OUT:
            groups = -(-count // FAN_OUT)
            buffers = []
            for group in range(groups):
                name = f"buffered{len(cut.gates)}"
                buffers.append(Gate(cell.name, {pin_in: net}, {pin_out: name}))
                cut.gates.append(buffers[-1])
                for inputs, pin in pins[group * count // groups : (group + 1) * count // groups]:
                    inputs[pin] = name
            pins = [(one.inputs, pin_in) for one in buffers]
    for register in cut.registers:
        for net in register.inputs.values():
            if net not in cut.starts:
                cut.ends.setdefault(net, register.place)
