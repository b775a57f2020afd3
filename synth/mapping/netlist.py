"""All gates of a design between its registers, put together from its components' netlists.

Registers and memories are cut out: what they drive starts paths, what they take ends them. Each
component was mapped once; here its gates appear once per copy, for timing alone.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from synth.libraries.liberty import Library
from synth.mapping.components import CHILD, child_number, times
from synth.mapping.mapped import Mapped

STORAGE = ("RD_DATA",)  # the output of Yosys' memories
# Their nets; an undefined bit may as well be 0.
CONSTANTS = {"0": 0, "1": 1, "x": 0, "z": 0}
Bit = int | str


@dataclass(frozen=True)
class Place:
    """A net where it can be named: its number in the netlist of one copy of a component."""

    path: str
    module: str
    bit: int


@dataclass(frozen=True)
class Register:
    """A cell that stores: the nets at its pins, and where it stands."""

    kind: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    place: Place | None


@dataclass(frozen=True)
class Gate:
    """A cell that computes, and the nets at its pins."""

    kind: str
    inputs: dict[str, str]
    outputs: dict[str, str]


@dataclass
class CutNetlist:
    """The gates and registers of a design, and the nets on either side of the gates.

    Each start and end has the place that it is known by: a register's input goes by its output.
    Starts without a place are constants. Memories are not among the registers; ``stored`` has the
    nets that registers or memories drive.
    """

    starts: dict[str, Place | None] = field(default_factory=dict)
    ends: dict[str, Place | None] = field(default_factory=dict)
    gates: list[Gate] = field(default_factory=list)
    registers: list[Register] = field(default_factory=list)
    stored: set[str] = field(default_factory=set)

    def blif(self, adder: str | None) -> str:
        """Return the gates for ABC, whose gates have one output: ``adder`` becomes two halves."""
        inputs, outputs = " ".join(self.starts), " ".join(self.ends)
        lines = [".model timing", f".inputs {inputs}", f".outputs {outputs}"]
        for gate in self.gates:
            pins = " ".join(f"{pin}={net}" for pin, net in gate.inputs.items())
            for pin, net in gate.outputs.items():
                name = half_name(gate.kind, pin) if gate.kind == adder else gate.kind
                lines.append(f".gate {name} {pins} {pin}={net}")
        return "\n".join([*lines, ".end\n"])


def half_name(adder: str, output: str) -> str:
    """Return the name of one half of a full adder: ABC's gates have one output."""
    return f"{adder}_half_{output}"


class Assembly:
    """Puts a design's gates together.

    Parameters
    ----------
    mapped : mapping of str to Mapped
        Each component by its name in the design.
    children : mapping of str to sequence of str
        For each the names of its ``child0``, ``child1`` ...
    library : Library
        Whose cells these are.
    deep : bool
        With the gates of what a component holds. Without, those end paths as registers do.
    """

    def __init__(
        self,
        mapped: Mapping[str, Mapped],
        children: Mapping[str, tuple[str, ...]],
        library: Library,
        *,
        deep: bool = True,
    ) -> None:
        self._mapped, self._children, self._cells = mapped, children, library.cells
        self._deep = deep
        self._ports: list[int] = []
        self._same = [0, 1]  # net to net that it is joined with; those of the constants first
        self._gates: list[tuple[str, dict[str, int]]] = []
        self._starts: dict[int, Place | None] = {}
        self._ends: list[tuple[int, Place | None]] = []
        self._registers: list[tuple[str, dict[str, int], Place | None]] = []

    def cut(self, top: str) -> CutNetlist:
        """Return all gates below ``top``."""
        ports = self._mapped[top].netlist["ports"]
        nets = {name: [self._new() for _ in port["bits"]] for name, port in ports.items()}
        for name, port in ports.items():
            for net, bit in zip(nets[name], port["bits"], strict=True):
                place = Place("", top, bit) if isinstance(bit, int) else None
                if port["direction"] == "input":
                    self._starts[net] = place
                    self._ports.append(net)
                else:
                    self._ends.append((net, place))
        self._put(top, "", nets)
        return self._written()

    def _put(self, module: str, path: str, outside: Mapping[str, list[int]]) -> None:
        """Add one copy of a component whose ports are joined to the nets ``outside``."""
        netlist = self._mapped[module].netlist
        inside: dict[Bit, int] = {**CONSTANTS}
        for direction in ("input", "output"):
            for name, port in netlist["ports"].items():
                if port["direction"] == direction and name in outside:
                    for bit, net in zip(port["bits"], outside[name], strict=True):
                        if bit not in inside:
                            inside[bit] = net
                        elif direction == "output":
                            self._same[net] = inside[bit]  # passed through

        def net_of(bit: Bit) -> int:
            if bit not in inside:
                inside[bit] = self._new()
            return inside[bit]

        for name, cell in netlist["cells"].items():
            kind, pins = cell["type"], cell["connections"]
            if kind in self._cells and not self._cells[kind].sequential:
                self._gates.append((kind, {pin: net_of(b[0]) for pin, b in pins.items() if b}))
                continue
            nets = {pin: [net_of(bit) for bit in bits] for pin, bits in pins.items()}
            if not kind.startswith(CHILD):
                known = self._cells.get(kind)
                outputs = set(known.pins("output")) if known else STORAGE
                place = self._add_storage(pins, nets, outputs, Place(path, module, 0))
                if known:
                    single = {pin: several[0] for pin, several in nets.items() if several}
                    self._registers.append((kind, single, place))
            elif self._deep:
                self._put(self._children[module][child_number(kind)], f"{path}{name}.", nets)
            else:
                ports = self._mapped[self._children[module][child_number(kind)]].netlist["ports"]
                outputs = {name for name, port in ports.items() if port["direction"] == "output"}
                self._add_storage(pins, nets, outputs, Place(path, module, 0))

    def _add_storage(
        self, pins: dict, nets: dict[str, list[int]], outputs: Collection[str], where: Place
    ) -> Place | None:
        """End paths at the inputs of something and start them at its outputs; return its place."""
        driven = [bit for pin in pins if pin in outputs for bit in pins[pin]]
        known = replace(where, bit=driven[0]) if driven else None
        for pin, several in nets.items():
            if pin not in outputs:
                self._ends += [(net, known) for net in several]
                continue
            for net, bit in zip(several, pins[pin], strict=True):
                self._starts[net] = replace(where, bit=bit)
        return known

    def _new(self) -> int:
        self._same.append(len(self._same))
        return len(self._same) - 1

    def _find(self, net: int) -> int:
        while self._same[net] != net:
            net = self._same[net]
        return net

    def _pins(self, kind: str, nets: Mapping[str, int]) -> tuple[dict[str, str], dict[str, str]]:
        """Return the nets at a cell's inputs and at its outputs."""
        outputs = self._cells[kind].pins("output")
        named = {pin: f"n{self._find(net)}" for pin, net in nets.items()}
        taken = {pin: net for pin, net in named.items() if pin not in outputs}
        return taken, {pin: net for pin, net in named.items() if pin in outputs}

    def _written(self) -> CutNetlist:
        find = self._find
        result = CutNetlist()
        result.gates = [Gate(kind, *self._pins(kind, nets)) for kind, nets in self._gates]
        for kind, nets, place in self._registers:
            result.registers.append(Register(kind, *self._pins(kind, nets), place))
        result.starts = {f"n{find(net)}": place for net, place in self._starts.items()}
        result.stored = set(result.starts) - {f"n{find(net)}" for net in self._ports}
        # What nothing drives, constants among it, is an input that is there from the start.
        used = {net: None for gate in result.gates for net in gate.inputs.values()}
        used |= {f"n{find(net)}": None for net, _ in self._ends}
        driven = {net for gate in result.gates for net in gate.outputs.values()} | {*result.starts}
        result.starts |= {net: None for net in used if net not in driven}
        ends = ((f"n{find(net)}", place) for net, place in self._ends)
        result.ends = {net: place for net, place in ends if net not in result.starts}
        return result


def held_by(
    mapped: Mapping[str, Mapped], children: Mapping[str, tuple[str, ...]]
) -> dict[str, dict[str, int]]:
    """Return for each component how many of which others it holds."""
    return {
        name: {children[name][child_number(kind)]: n for kind, n in part.children.items()}
        for name, part in mapped.items()
    }


def cells_below(
    top: str, mapped: Mapping[str, Mapped], children: Mapping[str, tuple[str, ...]]
) -> int:
    """Return how many cells a design has, all copies counted."""
    copies = times(top, held_by(mapped, children))
    return sum(count * sum(mapped[name].cells.values()) for name, count in copies.items())


def net_name(place: Place | None, mapped: Mapping[str, Mapped]) -> str:
    """Return what a net is called: of several names the shortest, no made-up one if possible."""
    if place is None:
        return ""
    named = _names_of(mapped[place.module].netlist, place.bit)
    best = min(named, key=lambda name: ("$" in name, len(name), name), default="")
    return f"{place.path}{best}" if best else ""


def _names_of(netlist: dict, wanted: int) -> Iterator[str]:
    for name, net in netlist["netnames"].items():
        for index, bit in enumerate(net["bits"]):
            if bit == wanted:
                yield f"{name}[{index}]" if len(net["bits"]) > 1 else name
