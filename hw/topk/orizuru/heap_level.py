"""One level of a heap: a memory, and the step of what sinks into it."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data

from hw.stream.component import Component, In, Out
from hw.stream.word_memory import WordMemory
from hw.topk.orizuru.heap_step import node_layout, step


class HeapLevel(Component):
    """Keep the nodes of one level, in pairs that are below the same place, and pass on what sinks.

    Parameters
    ----------
    level : int
        1 for the level below the root.
    entries : int
        Keys that the heap keeps at most.
    position_bits : int
        Bits of a position.
    largest : bool
        Whether it keeps the largest keys.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``above`` to ``pair`` and from ``enter`` to ``leave``; one more
        to ``pair`` with what has sunk.
    Rate : something may enter every cycle.
    Through paths : ``below`` to ``leave``, ``below`` to ``to``, ``drain`` to ``leave``, ``drain``
        to ``to``, ``k_top`` to ``leave``, ``k_top`` to ``to``; combinational.
    Reset : drops what sinks; the memory stays.
    """

    LATENCY = 1

    k_top = In(lambda c: range(c.entries + 1))
    """Places in use, counted from the root."""
    drain = In(1)
    """Whether the heap drains."""
    sweep = In(1)
    """Makes the pair at ``above`` vacant."""
    above = In(lambda c: max(c.level - 1, 1))
    """A place of the level above."""
    pair = Out(lambda c: c.pair_layout)
    """What was below that place a cycle before."""
    enter = In(1)
    """Something sinks to this level."""
    x = In(lambda c: node_layout(c.position_bits))
    """That."""
    place = In(lambda c: c.level)
    """Where to."""
    below = In(lambda c: c.pair_layout)
    """``pair`` of the next level."""
    leave = Out(1)
    """As ``enter`` of the next level."""
    sinking = Out(lambda c: node_layout(c.position_bits))
    """As its ``x``."""
    to = Out(lambda c: c.level + 1)
    """As its ``place``, and as ``above`` of the one after it."""

    def __init__(self, level: int, entries: int, position_bits: int, largest: bool = True) -> None:
        self.level, self.entries, self.position_bits = level, entries, position_bits
        self.largest = largest
        node = node_layout(position_bits)
        self.pair_layout = data.ArrayLayout(node, 2)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        node = node_layout(self.position_bits)
        memory = WordMemory(self.pair_layout.size, 1 << max(self.level - 1, 1), 2)
        memory.put_in(self, m, "memory")
        here = Signal()
        x = Signal(node, reset_less=True)
        place = Signal(self.level)
        m.d.sync += [here.eq(self.enter), x.eq(self.x), place.eq(self.place)]

        # Places are numbered from 1, the root: the two below number p are 2 p and 2 p + 1.
        first, second = (Cat(Const(n, 1), place, Const(1, 1)) > self.k_top for n in range(2))
        done = step(m, x, self.below, (first, second), self.drain, largest=self.largest)
        vacant = node.const({"vacant": 1})
        m.d.comb += [
            memory.read_en.eq(1),
            memory.read_address.eq(self.above),
            self.pair.eq(memory.read_data),
            self.sinking.eq(x),
            self.leave.eq(here & done.sinks),
            self.to.eq(Cat(done.side, place)),
            memory.write_address.eq(Mux(self.sweep, self.above, place[1:])),
            memory.write_en.eq(Mux(self.sweep, 0b11, Cat(here & ~place[0], here & place[0]))),
            memory.write_data.eq(Value.cast(Mux(self.sweep, vacant, done.node)).replicate(2)),
        ]
