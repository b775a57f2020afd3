"""One step of an entry that sinks in a heap."""

from typing import NamedTuple

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data

from hw.arith.bits import exceeds
from hw.arith.wires import wire
from hw.formats import KEY


def node_layout(position_bits: int) -> data.StructLayout:
    """Return what a place of a heap holds: an entry, unless it is vacant."""
    return data.StructLayout({"key": KEY, "position": position_bits, "vacant": 1})


class Step(NamedTuple):
    """What belongs in a place, whether what was to sink there sinks further, and to which side."""

    node: Value
    sinks: Signal
    side: Signal


def step(
    m: Module,
    x: data.View,
    below: data.View,
    absent: tuple[Value, Value],
    drain: Value,
    *,
    largest: bool,
) -> Step:
    """Decide whether ``x`` stays above the two nodes ``below`` it, or changes places with one.

    Who goes first stays above: the lesser key (the greater one where the smallest are kept), or,
    of equals, the one at the higher position. Vacant places go first, or, while the heap drains,
    last. Places that are ``absent``, not in use, are vacant and always go last.
    """
    sides = [
        _rank(m, f"below{n}", below[n], absent[n] | (below[n].vacant & drain), largest)
        for n in range(2)
    ]
    rank = _rank(m, "x", x, x.vacant & drain, largest)
    sinks, side = Signal(), Signal()
    m.d.comb += [
        side.eq(exceeds(sides[0], sides[1])),
        sinks.eq(exceeds(rank, sides[0]) | exceeds(rank, sides[1])),
    ]
    return Step(Mux(sinks, Mux(side, below[1], below[0]), x), sinks, side)


def _rank(m: Module, name: str, node: data.View, last: Value, largest: bool) -> Signal:
    """Return an unsigned number that is less for what goes first."""
    key = Value.cast(node.key) ^ (1 << (KEY.width - 1))
    fields = Cat(~node.position, (key if largest else ~key)[: KEY.width], ~node.vacant, last)
    return wire(m, fields, f"{name}_rank")
