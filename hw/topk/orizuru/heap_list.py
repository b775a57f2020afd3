"""Heap of the keys furthest out: for long lists, in memories."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data
from amaranth.utils import ceil_log2

from hw.arith.bits import is_beyond
from hw.formats import KEY
from hw.stream.component import Component, In, Out, OutStream
from hw.topk.orizuru.heap_level import HeapLevel
from hw.topk.orizuru.heap_step import Step, node_layout, step


class HeapList(Component):
    """Keep the k_top largest, or smallest, keys, and send them with their positions.

    A binary heap, whose root is the entry that goes first when a better one comes: the least key,
    or, of equals, the one at the highest position. Each level of the tree is a memory of its own,
    so entries sink through the levels one behind another. What
    :class:`hw.topk.orizuru.sorted_list.SortedList` does with a comparator and registers for every
    entry, this does with three comparators for every level; an insertion takes three cycles instead
    of one.

    Parameters
    ----------
    entries : int
        Keys kept at most, 2 or more.
    position_bits : int
        Bits of a position.
    largest : bool
        Whether the largest keys are kept, or the smallest.

    Timing
    ------
    Latency : ``LATENCY`` cycles from an insertion to ``threshold``; 0 from ``drain`` to
        ``o.valid``.
    Rate : one insertion, or one entry sent, every ``PERIOD`` cycles; what is not beyond the
        threshold is dropped in one.
    Through paths : ``drain`` to ``o.valid``, ``drain`` to ``drained``; combinational.
    Reset : empties the heap, in ``sweep`` cycles.
    """

    LATENCY = 2
    PERIOD = 3

    k_top = In(lambda c: range(c.entries + 1))
    """Keys to keep. Changes only while the heap is empty."""
    insert = In(1)
    """Inserts ``key`` and ``position`` where they belong, once ``free``. Not while draining."""
    key = In(KEY)
    """FP16 key."""
    position = In(lambda c: c.position_bits)
    """Where the key stood: higher than all of this token before."""
    free = Out(1)
    """Whether an insertion is taken."""
    full = Out(1)
    """Whether k_top keys are there."""
    threshold = Out(KEY)
    """The root's: a key that is not beyond it need not be inserted."""
    drain = In(1)
    """Sends k_top entries, which must be there; then ``drained`` rises and the heap is empty."""
    drained = Out(1)
    """Whether all have been sent."""
    o = OutStream(lambda c: c.entry)
    """Keys and positions, those furthest out last."""

    def __init__(self, entries: int, position_bits: int, largest: bool = True) -> None:
        if entries < 2:
            raise ValueError(f"a heap keeps 2 entries or more, got {entries}: take a sorted list")
        self.entries, self.position_bits, self.largest = entries, position_bits, largest
        self.levels = ceil_log2(entries + 1)
        self.sweep = 1 << max(self.levels - 2, 1)
        self.entry = data.StructLayout({"key": KEY, "position": position_bits})
        self.node = node_layout(position_bits)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        root = Signal(self.node, reset_less=True)
        x = Signal(self.node, reset_less=True)
        here, pause = Signal(), Signal(range(self.PERIOD))
        sweeping, row = Signal(init=1), Signal(range(self.sweep))
        beyond = is_beyond(self.key, root.key, largest=self.largest)
        idle, pop, push = Signal(), Signal(), Signal()
        m.d.comb += [
            idle.eq(~sweeping & (pause == 0)),
            pop.eq(self.o.valid & self.o.ready),
            push.eq(self.insert & idle & (root.vacant | beyond)),
            self.free.eq(idle),
            self.full.eq(~sweeping & ~root.vacant),
            self.threshold.eq(root.key),
            self.o.valid.eq(self.drain & idle & ~root.vacant),
            self.o.payload.key.eq(root.key),
            self.o.payload.position.eq(root.position),
            self.drained.eq(self.drain & idle & root.vacant),
        ]
        m.d.sync += [
            here.eq(pop | push),
            x.eq(Cat(self.key, self.position, pop)),
            pause.eq(Mux(pop | push, self.PERIOD - 1, pause - (pause != 0))),
        ]
        with m.If(sweeping):
            m.d.sync += [row.eq(row + 1), sweeping.eq(row != self.sweep - 1)]
        done = self._connect(m, here, x, sweeping, row)
        with m.If(here):
            m.d.sync += root.eq(done.node)
        with m.If(sweeping):
            m.d.sync += root.vacant.eq(1)

    def _connect(
        self, m: Module, here: Signal, x: data.View, sweeping: Signal, row: Signal
    ) -> Step:
        """Connect the levels below the root; return the root's step."""
        levels = [
            HeapLevel(level, self.entries, self.position_bits, self.largest)
            for level in range(1, self.levels)
        ]
        absent = self.k_top < 2, self.k_top < 3  # places are numbered from 1, the root
        done = step(m, x, levels[0].pair, absent, self.drain, largest=self.largest)
        enter, sinking, to = here & done.sinks, x, done.side
        above = Const(0, 1)
        for n, level in enumerate(levels):
            self.put(m, f"level{n + 1}", level)
            m.d.comb += [
                level.k_top.eq(self.k_top),
                level.drain.eq(self.drain),
                level.sweep.eq(sweeping),
                # The pair that decides about a place is read while something sinks to that place.
                level.above.eq(Mux(sweeping, row, above)),
                level.enter.eq(enter),
                level.x.eq(sinking),
                level.place.eq(to),
            ]
            if n:
                m.d.comb += levels[n - 1].below.eq(level.pair)
            enter, sinking, above, to = level.leave, level.sinking, to, level.to
        for n in range(2):  # below the last level there is nothing
            m.d.comb += levels[-1].below[n].vacant.eq(1)
        return done
