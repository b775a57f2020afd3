"""Energy of a design on real tokens: how often each net changes, times what that costs.

The gates are simulated without delays, so what flickers within a cycle is not seen. Left out are
wires, the clock's tree and its gating, memories (:mod:`synth.mapping.memories`) and pads; the clock
pins of registers are in.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from gateware.design import Design
from golden.base.errors import ToolError
from synth.area.area import TIMEOUT
from synth.libraries.liberty import Library
from synth.power.activity import Activity
from synth.power.energy import PICO, Energies
from synth.power.gates import FLATTEN, INNER, read_netlist, wrapper, written_gates

DUMP = "activity.vcd"
OWN = "itself"


@dataclass(frozen=True)
class FlatGates:
    """All gates of a design in one module.

    Parameters
    ----------
    verilog : str
        For a simulator: it writes the changes of every net to ``DUMP`` in its folder.
    netlist : dict
        The same as Yosys' ``write_json`` describes it: cells, and nets by the same names.
    """

    verilog: str
    netlist: dict


@dataclass(frozen=True, kw_only=True)
class BlockEnergy:
    """Energies of a part, in pJ over the whole window: see :class:`Energy`."""

    block: str
    charge: float
    internal: float
    clock: float
    leakage: float

    @property
    def total(self) -> float:
        """All together."""
        return self.charge + self.internal + self.clock + self.leakage


@dataclass(frozen=True, kw_only=True)
class Energy:
    """What a design took.

    Parameters
    ----------
    design, library : str
        Names of both.
    volts, clock_ps : float
        Supply, and the clock period that leakage is counted at.
    cycles : int
        Length of the window.
    blocks : tuple of BlockEnergy
        For each part directly below the top, most first: charging inputs (``charge``), within
        cells (``internal``), at the clock pins of registers (``clock``), ``leakage``.
    """

    design: str
    library: str
    volts: float
    clock_ps: float
    cycles: int
    blocks: tuple[BlockEnergy, ...]

    @property
    def total(self) -> float:
        """Energy in the window, in pJ."""
        return sum(block.total for block in self.blocks)

    def as_json(self, tokens: int, macs: int) -> dict:
        """Return it as plain data, with energies per token and per multiply-add."""
        return {
            **asdict(self),
            "blocks": [{**asdict(block), "total": block.total} for block in self.blocks],
            "total_pj": self.total,
            "tokens": tokens,
            "pj_per_token": self.total / tokens,
            "multiply_adds": macs,
            "pj_per_multiply_add": self.total / macs,
            "milliwatts": self.total / (self.cycles * self.clock_ps) * 1e3,
        }


def flat_gates(design: Design, library: Library, timeout: float = TIMEOUT) -> FlatGates:
    """Return the gates of a design for a simulation that records activity.

    Raises
    ------
    InputError, ToolError
        As :func:`synth.power.gates.gate_verilog`.
    """
    with written_gates(design, library, timeout, _flat) as (folder, ports):
        modules = json.loads((folder / "flat.json").read_text(encoding="utf-8"))["modules"]
        gates = (folder / "gates.v").read_text(encoding="utf-8")
    dump = f'  initial begin $dumpfile("{DUMP}"); $dumpvars(1, gates); end'
    *top, end = wrapper(design.name, ports)
    verilog = "\n".join([gates, *top, dump, end])
    return FlatGates(verilog, modules[f"{design.name}{INNER}"])


def _flat(parts: Sequence[str], libraries: Sequence[str]) -> list[str]:
    """Return the commands that write all cells in one module, then make them expressions."""
    *read, hierarchy = read_netlist(parts[0])
    return [
        *(f"read_liberty -lib -ignore_miss_func {name}" for name in libraries),
        *read,
        hierarchy,
        *FLATTEN,
        "splitnets",
        "rename -enumerate -pattern net_% w:*",
        # Each net keeps its name when cells become expressions.
        "setattr -set keep 1 w:*",
        "write_json flat.json",
        *(f"read_liberty -overwrite -ignore_miss_func {name}" for name in libraries),
        hierarchy,
        *FLATTEN,
    ]


def energy(
    design: str,
    netlist: Mapping,
    activity: Activity,
    library: Library,
    *,
    clock: str = "clk",
    clock_ps: float,
) -> Energy:
    """Add up the energy of a window.

    Parameters
    ----------
    design : str
        Its name.
    netlist : mapping
        Of :func:`flat_gates`.
    activity : Activity
        Of its simulation.
    library : Library
        The cells.
    clock : str
        Name of the clock.
    clock_ps : float
        Clock period, for leakage.

    Raises
    ------
    InputError
        When the library has no energies.
    ToolError
        When the activity does not have every net that a gate drives.
    """
    costs = Energies(library)
    changes = _changes_by_bit(netlist, activity)
    clocks = set(netlist["netnames"].get(clock, {"bits": []})["bits"])
    cells = [cell for cell in netlist["cells"].items() if cell[1]["type"] in library.cells]

    def bits(cell: Mapping, direction: str) -> Iterator[tuple[str, int | str]]:
        """Yield the pins of a cell in that direction, each with its net."""
        for pin in library.cells[cell["type"]].pins(direction):
            yield from ((pin, bit) for bit in cell["connections"].get(pin, ()))

    farads: dict[int | str, float] = defaultdict(float)
    for _, cell in cells:
        for pin, bit in bits(cell, "input"):
            farads[bit] += costs.pin_farads(cell["type"], pin)
    seconds = activity.cycles * clock_ps * PICO
    given = {bit for _, cell in cells for _, bit in bits(cell, "output")}
    if missing := given - changes.keys():
        raise ToolError(f"{design}: the activity lacks {len(missing)} of {len(given)} nets")
    sums: dict[str, dict[str, float]] = {}
    for name, cell in cells:
        kind, block = cell["type"], sums.setdefault(block_of(name), defaultdict(float))
        block["leakage"] += costs.leakage_watts(kind) * seconds / PICO
        for pin, bit in bits(cell, "input"):
            own = costs.internal_pj(kind, pin, 0.0)
            if bit in clocks:
                charge = costs.charge_pj(costs.pin_farads(kind, pin))
                block["clock"] += (own + charge) * 2 * activity.cycles
            else:
                block["internal"] += own * changes.get(bit, 0)
        for pin, bit in bits(cell, "output"):
            times = changes.get(bit, 0)
            block["internal"] += costs.internal_pj(kind, pin, farads[bit]) * times
            block["charge"] += costs.charge_pj(farads[bit]) * times
    zero = dict.fromkeys(("charge", "internal", "clock", "leakage"), 0.0)
    parts = [BlockEnergy(block=name, **zero | found) for name, found in sums.items()]
    parts.sort(key=lambda part: (-part.total, part.block))
    return Energy(
        design=design,
        library=library.name,
        volts=costs.volts,
        clock_ps=clock_ps,
        cycles=activity.cycles,
        blocks=tuple(parts),
    )


def _changes_by_bit(netlist: Mapping, activity: Activity) -> dict[int | str, int]:
    changes: dict[int | str, int] = {}
    for name, net in netlist["netnames"].items():
        # Yosys leaves the backslash before a name that would otherwise be one of its own.
        counted = activity.changes.get(name.removeprefix("\\"))
        if counted and len(counted) == len(net["bits"]):
            changes.update(
                (bit, n)
                for bit, n in zip(net["bits"], counted, strict=True)
                if isinstance(bit, int)
            )
    return changes


def block_of(cell: str) -> str:
    """Return the part directly below the top that a cell of the flat netlist stands in."""
    path = re.match(r"(?:\$flatten)?\\?([A-Za-z_]\w*)\.", cell)
    return path[1] if path else OWN
