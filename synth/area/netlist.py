"""All gates of a design between its registers, put together from its components' netlists.

Registers and memories are cut out: what they drive starts paths, what they take ends them. Each
component was mapped once; here its gates appear once per copy, for timing alone.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from golden.base.errors import InputError
from synth.area.components import CHILD, child_number, times
from synth.area.mapping import Mapped
from synth.libraries.functions import BUFFER, full_adder, least
from synth.libraries.liberty import Library

FAN_OUT = 16
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


@dataclass
class CutNetlist:
    """The gates of a design, as lines of BLIF, and the nets on either side of them.

    Each start and end has the place that it is known by: a register's input goes by its output.
    Starts without a place are constants. Memories are not among the registers. ``spread`` has the
    nets of registers and memories with more than ``FAN_OUT`` pins: a buffer stands between
    such a net and all that it drives, and the netlist has the net behind that by this name.
    """

    starts: dict[str, Place | None] = field(default_factory=dict)
    ends: dict[str, Place | None] = field(default_factory=dict)
    gates: list[str] = field(default_factory=list)
    registers: list[Register] = field(default_factory=list)
    spread: dict[str, str] = field(default_factory=dict)

    def blif(self) -> str:
        """Return the whole text."""
        inputs, outputs = " ".join(self.starts), " ".join(self.ends)
        head = [".model timing", f".inputs {inputs}", f".outputs {outputs}"]
        return "\n".join([*head, *self.gates, ".end\n"])


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
        halved = full_adder(library)
        self._adder = halved[0].name if halved else None
        self._buffer = _buffer(library)
        self._ports: list[int] = []
        self._same = [0, 1]  # net to net that it is joined with; those of the constants first
        self._gates: list[tuple[str, tuple[tuple[str, int], ...], str, int]] = []
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
                self._add_gate(kind, {pin: net_of(bits[0]) for pin, bits in pins.items() if bits})
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

    def _add_gate(self, kind: str, nets: dict[str, int]) -> None:
        known = self._cells[kind]
        inputs = tuple((pin, nets[pin]) for pin in known.pins("input"))
        for pin in known.pins("output"):
            if pin in nets:
                name = half_name(kind, pin) if kind == self._adder else kind
                self._gates.append((name, inputs, pin, nets[pin]))

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

    def _far(self) -> Iterator[int]:
        """Yield the nets that a register or memory drives alone though they have many pins."""
        pins = Counter(self._find(net) for _, inputs, _, _ in self._gates for _, net in inputs)
        stored = {self._find(net) for net in self._starts} - {self._find(n) for n in self._ports}
        yield from (net for net, count in pins.items() if count > FAN_OUT and net in stored)

    def _written(self) -> CutNetlist:
        find = self._find
        result = CutNetlist()
        sources = {net: f"n{net}" for net in map(find, range(len(self._same)))}
        kind, pin_in, pin_out = self._buffer or ("", "", "")
        for net in self._far() if kind else ():
            sources[net] = result.spread[f"n{net}"] = f"spread{net}"
            result.gates.append(f".gate {kind} {pin_in}=n{net} {pin_out}=spread{net}")
        for name, inputs, pin, net in self._gates:
            text = " ".join(f"{port}={sources[find(source)]}" for port, source in inputs)
            result.gates.append(f".gate {name} {text} {pin}=n{find(net)}")
        for kind, nets, place in self._registers:
            outputs = self._cells[kind].pins("output")
            named = {pin: f"n{find(net)}" for pin, net in nets.items()}
            taken = {pin: net for pin, net in named.items() if pin not in outputs}
            given = {pin: net for pin, net in named.items() if pin in outputs}
            result.registers.append(Register(kind, taken, given, place))
        # What nothing drives, constants among it, is an input that is there from the start.
        used = {find(net) for _, inputs, _, _ in self._gates for _, net in inputs}
        used.update(find(net) for net, _ in self._ends)
        driven = {find(net) for *_, net in self._gates} | {find(net) for net in self._starts}
        result.starts = {f"n{find(net)}": place for net, place in self._starts.items()}
        result.starts |= dict.fromkeys(f"n{net}" for net in sorted(used - driven))
        ends = ((f"n{find(net)}", place) for net, place in self._ends)
        result.ends = {net: place for net, place in ends if net not in result.starts}
        return result


def _buffer(library: Library) -> tuple[str, str, str] | None:
    """Return the smallest buffer, with its input and its output, if there is one."""
    try:
        cell = least(library, BUFFER, "buffer")
    except InputError:
        return None
    return cell.name, next(iter(cell.pins("input"))), next(iter(cell.pins("output")))


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
