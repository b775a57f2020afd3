"""Walk: nested loops, one pass of the innermost per item."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.stream.component import Component, In, Out, OutStream


@dataclass(frozen=True)
class Loop:
    """A loop of a :class:`Walk`.

    Parameters
    ----------
    name : str
        What is counted.
    most : int
        The highest count.
    step : int
        How much of it a pass covers, a power of two; the last pass may cover less.
    """

    name: str
    most: int
    step: int = 1

    @property
    def count(self) -> Any:
        """A count."""
        return range(self.most + 1)

    @property
    def item(self) -> data.StructLayout:
        """What is known of a pass."""
        passes: Any = range(max(-(-self.most // self.step), 2))
        return data.StructLayout({"index": passes, "first": 1, "last": 1, "ends": 1})


class Walk(Component):
    """Go through nested loops, again and again.

    Parameters
    ----------
    loops : tuple of Loop
        The outermost first.

    Timing
    ------
    Latency : 0 cycles from ``available`` to ``o.valid``.
    Rate : one item per cycle while ``available`` and ``o.ready`` are high, across walks too.
    Through paths : ``available`` to ``o.valid``; it and ``o.ready`` to ``done``; ``counts`` to
        ``o.payload`` and ``done``; combinational.
    Reset : the next item is a walk's first.
    """

    LATENCY = 0

    counts = In(lambda c: c.counts_layout)
    """How much each loop counts, by its name; 0 is as 1. A count is steady while its loop is under
    way, and may follow, without a register, from the ``index`` of loops around it.
    """
    available = In(1)
    """Whether there is something to walk through; stays so until ``done``."""
    o = OutStream(lambda c: c.item)
    """By each loop's name: the ``index`` of its pass; whether that is its ``first`` or ``last``;
    and whether the loop ``ends``, which is when all loops within it are at their last, too.
    """
    done = Out(1)
    """Strobe: the outermost loop ends with the item that is taken in this cycle."""

    def __init__(self, loops: tuple[Loop, ...]) -> None:
        self.loops = loops
        self.counts_layout = data.StructLayout({loop.name: loop.count for loop in loops})
        self.item = data.StructLayout({loop.name: loop.item for loop in loops})
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        taken = Signal()
        m.d.comb += [self.o.valid.eq(self.available), taken.eq(self.available & self.o.ready)]
        within: Value = Const(1)  # whether all loops within are at their last
        for loop in reversed(self.loops):
            item = self.o.payload[loop.name]
            index = Signal.like(item.index, name=f"{loop.name}_index")
            m.d.comb += [
                item.index.eq(index),
                item.first.eq(index == 0),
                item.last.eq((index + 1) << exact_log2(loop.step) >= self.counts[loop.name]),
                item.ends.eq(item.last & within),
            ]
            with m.If(taken & within):
                m.d.sync += index.eq(Mux(item.last, 0, index + 1))
            within = item.ends
        m.d.comb += self.done.eq(taken & within)
