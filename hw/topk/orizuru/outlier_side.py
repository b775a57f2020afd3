"""One side of the streaming Orizuru: picks candidates from beats and keeps the best of them."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import connect, flipped
from amaranth.utils import exact_log2

from golden.exact.spec import require_int
from hw.arith.bits import at_least, choose, first_one, is_beyond
from hw.formats import KEY, require_power_of_two
from hw.stream.component import Component, In, Out, OutStream
from hw.topk.orizuru.heap_list import HeapList
from hw.topk.orizuru.orizuru_spec import OrizuruSpec
from hw.topk.orizuru.sorted_list import SortedList


class OutlierSide(Component):
    """Find the k_top largest, or smallest, keys of a token, beat by beat.

    Up to two candidates per cycle leave a beat, in the order of their lanes, and queue up for the
    sorted list, which takes one per cycle.

    Parameters
    ----------
    spec : OrizuruSpec
        Activations per beat, the longest token and the longest list.
    largest : bool
        Whether the largest keys are found.
    queue : int
        Candidates that may queue up, 2 to 8.
    sections : int
        Two candidates leave in one cycle if they stand in different sections of the beat, a power
        of two; more sections take fewer cycles.
    reverse : bool
        As for :class:`hw.topk.orizuru.sorted_list.SortedList`.
    heap : bool
        Whether a :class:`hw.topk.orizuru.heap_list.HeapList` keeps the keys; always in reverse.

    Timing
    ------
    Latency : ``LATENCY`` cycles from ``load`` to ``settled`` with one candidate.
    Rate : two candidates per cycle, one while the queue is full or if the next one stands in the
        same section; a heap takes one every three cycles.
    Through paths : ``drain`` to ``o.valid``, ``drain`` to ``drained``; combinational.
    Reset : drops the token under way.
    """

    LATENCY = 3

    k_top = In(lambda c: range(c.spec.outliers_max + 1))
    """Keys to keep. Steady while a token is under way."""
    keys = In(lambda c: data.ArrayLayout(KEY, c.spec.values_per_beat))
    """Keys of the beat at hand."""
    number = In(lambda c: range(max(c.spec.beats_max, 2)))
    """Its number in the token."""
    following = In(lambda c: data.ArrayLayout(KEY, c.spec.values_per_beat))
    """``keys`` of the next cycle, in lanes that are held or loaded."""
    mask = In(lambda c: c.spec.values_per_beat)
    """With ``load``: which of ``following`` count."""
    load = In(1)
    """``following`` is another beat. Only when ``done``."""
    held = Out(lambda c: c.spec.values_per_beat)
    """Which lanes of the beat at hand have candidates beyond this cycle."""
    done = Out(1)
    """Whether none has: the last candidates leave in this cycle."""
    settled = Out(1)
    """Whether there are no candidates, in the beat or in the queue."""
    drain = In(1)
    """As for :class:`hw.topk.orizuru.sorted_list.SortedList`, as are the next three."""
    drained = Out(1)
    """Whether all entries have been sent."""
    clear = In(1)
    """Empties the list."""
    o = OutStream(lambda c: c.spec.entry)
    """Keys and positions in order."""

    def __init__(
        self,
        spec: OrizuruSpec,
        largest: bool = True,
        queue: int = 2,
        sections: int = 1,
        reverse: bool = False,
        heap: bool = False,
    ) -> None:
        self.spec, self.largest, self.queue, self.sections = spec, largest, queue, sections
        self.reverse, self.heap = reverse, heap
        require_int("queue", queue, low=2, high=8)
        require_power_of_two("sections", sections, low=1, high=spec.values_per_beat)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        spec, depth = self.spec, self.queue
        entries, free = self._entries(m)

        # Whoever is at the queue's head goes into the list, if that is free, and the others move
        # up. Behind them there is room for two more, for one, or, if nobody moved, for none.
        queue = [Signal(spec.entry, name=f"queue{n}", reset_less=True) for n in range(depth)]
        valid = Signal(depth)
        moved = Signal(depth)  # which places are taken then: a thermometer
        picks, wanted = self._choose(m, entries, moved)
        m.d.comb += moved.eq(Mux(free, valid >> 1, valid))
        for n in range(depth):
            is_next = ~moved[n] & moved[n - 1] if n else ~moved[n]
            is_second = ~moved[n - 1] & (moved[n - 2] if n > 1 else 1) if n else Const(0, 1)
            later = queue[n + 1].as_value() if n + 1 < depth else Const(0, 1)
            stays = choose((free, later), (~free, queue[n]))
            m.d.sync += [
                queue[n].eq(choose((moved[n], stays), (is_next, picks[0]), (is_second, picks[1]))),
                valid[n].eq(moved[n] | (is_next & wanted[0]) | (is_second & wanted[1])),
            ]
        m.d.comb += [
            self.settled.eq(~wanted[0] & ~valid[0]),
            entries.insert.eq(valid[0]),
            entries.key.eq(queue[0].key),
            entries.position.eq(queue[0].position),
            entries.k_top.eq(self.k_top),
            entries.drain.eq(self.drain),
            self.drained.eq(entries.drained),
        ]

    def _entries(self, m: Module) -> tuple[SortedList | HeapList, Value]:
        """Return who keeps the best, and whether it takes one more."""
        size = self.spec.outliers_max, self.spec.position_bits, self.largest
        entries = self.put(
            m, "entries", HeapList(*size) if self.heap else SortedList(*size, self.reverse)
        )
        connect(m, entries.o, flipped(self.o))
        if isinstance(entries, HeapList):
            return entries, entries.free
        m.d.comb += entries.clear.eq(self.clear)
        return entries, Const(1, 1)

    def _choose(self, m: Module, entries: SortedList | HeapList, moved: Value) -> tuple:
        """Return two picks, each a key and its position, and whether they are candidates.

        Which lanes are candidates was found a cycle before, so a beat is judged while it is
        loaded. That a threshold has risen since does no harm: the list refuses.
        """
        lanes, sections = self.spec.values_per_beat, self.sections
        size = lanes // sections
        candidates = Signal(lanes)
        some, several, firsts, values = [], [], [], []
        for n in range(sections):
            part = candidates[n * size : (n + 1) * size]
            first = first_one(m, part, f"first{n}")
            one, two, _ = at_least(part)
            some.append(one)
            several.append(two)
            firsts.append(first)
            values.append(self._select(n * size, first))
        # The second pick is the first of another section, unless that passes somebody over.
        behind, alone, leaves = Signal(sections), Signal(), Signal(sections)
        one_only, none = moved[-2], moved[-1]
        leads = first_one(m, Cat(some), "leads")
        follows = first_one(m, behind, "follows")
        m.d.comb += [
            behind.eq(Cat(some) & ~leads),
            alone.eq(~(leads & Cat(several)).any() & ~one_only),
            leaves.eq(Mux(none, 0, leads | Mux(alone, follows, 0))),
        ]
        any_two, any_three, _ = at_least(behind)
        taken = Cat(Mux(leaves[n], firsts[n], 0) for n in range(sections))
        above = Cat(
            ~entries.full | is_beyond(key, entries.threshold, largest=self.largest)
            for key in self.following
        )
        there = (self.k_top != 0).replicate(lanes) & self.mask
        m.d.comb += [
            self.held.eq(candidates & ~taken),
            self.done.eq(
                ~(Cat(several).any() | any_three | (any_two & one_only) | (Cat(some).any() & none))
            ),
        ]
        m.d.sync += candidates.eq(above & Mux(self.load, there, self.held))
        picks = [choose(*zip(one, values, strict=True)) for one in (leads, follows)]
        return picks, (Cat(some).any(), any_two & alone)

    def _select(self, start: int, one: Value) -> Value:
        """Return the key and the position of the lane whose bit is set."""
        lane_bits = exact_log2(self.spec.values_per_beat)
        keys = [self.keys[start + n] for n in range(len(one))]
        lanes = [Const(start + n, lane_bits) for n in range(len(one))]
        return Cat(
            choose(*zip(one, keys, strict=True)), choose(*zip(one, lanes, strict=True)), self.number
        )
