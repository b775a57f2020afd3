"""One side of the streaming Orizuru: picks candidates from beats and keeps the best of them."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import exact_log2

from golden.spec import require_int
from hw.bits import at_least, first_two
from hw.engine_spec import KEY
from hw.orizuru_spec import OrizuruSpec
from hw.share import share
from hw.sorted_list import SortedList


class OutlierSide(wiring.Component):
    """Find the k_top largest keys of a token, beat by beat.

    Up to two candidates per cycle leave a beat, in the order of their lanes, and queue up for the
    sorted list, which takes one per cycle.

    Parameters
    ----------
    spec : OrizuruSpec
        Activations per beat, the longest token and the longest list.
    queue : int
        Candidates that may queue up, 2 to 8.

    Ports
    -----
    k_top : In(range(spec.outliers_max + 1))
        Keys to keep. Steady while a token is under way.
    keys : In(array of signed(16))
        Keys of the beat at hand.
    number : In(range(spec.beats_max))
        Its number in the token.
    following : In(array of signed(16))
        ``keys`` of the next cycle, in lanes that are held or loaded.
    mask : In(spec.values_per_beat)
        With ``load``: which of ``following`` count.
    load : In(1)
        ``following`` is another beat. Only when ``done``.
    held : Out(spec.values_per_beat)
        Which lanes of the beat at hand have candidates beyond this cycle.
    done : Out(1)
        Whether none has: the last candidates leave in this cycle.
    settled : Out(1)
        Whether there are no candidates, in the beat or in the queue.
    drain : In(1)
        As for :class:`hw.sorted_list.SortedList`, as are the next three.
    drained : Out(1)
        Whether all entries have been sent.
    clear : In(1)
        Empties the list.
    o : Out(stream of spec.entry)
        Keys and positions, the largest key first.

    Timing
    ------
    Latency : ``LATENCY`` cycles from ``load`` to ``settled`` with one candidate or two; as from
        the sorted list to ``o.valid``.
    Rate : two candidates per cycle, one while the queue is full.
    Through paths : none.
    Reset : drops the token under way.
    """

    LATENCY = 3

    k_top: Signal
    keys: data.View
    number: Signal
    following: data.View
    mask: Signal
    load: Signal
    held: Signal
    done: Signal
    settled: Signal
    drain: Signal
    drained: Signal
    clear: Signal
    o: stream.Interface

    def __init__(self, spec: OrizuruSpec, queue: int) -> None:
        self.spec = spec
        self.queue = queue
        require_int("queue", queue, low=2, high=8)
        keys = data.ArrayLayout(KEY, spec.values_per_beat)
        ports = {
            "k_top": In(range(spec.outliers_max + 1)),
            "keys": In(keys),
            "number": In(range(max(spec.beats_max, 2))),
            "following": In(keys),
            "mask": In(spec.values_per_beat),
            "load": In(1),
            "held": Out(spec.values_per_beat),
            "done": Out(1),
            "settled": Out(1),
            "drain": In(1),
            "drained": Out(1),
            "clear": In(1),
            "o": Out(stream.Signature(spec.entry)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        depth = self.queue
        entries = SortedList(self.spec.outliers_max, self.spec.position_bits)
        m.submodules.entries = share(platform, entries)
        connect(m, entries.o, flipped(self.o))

        # Whoever is at the queue's head goes into the list, and the others move up. Behind them
        # there is room for two more, or, if the queue was full, for one.
        queue = [Signal(self.spec.entry, name=f"queue{n}", reset_less=True) for n in range(depth)]
        valid = Signal(depth)
        moved = Signal(depth)  # a thermometer
        choice, some, more = self._choose(m, entries, valid[-1])
        picks = [self._select(m, one, f"pick{n}") for n, one in enumerate(choice)]
        m.d.comb += moved.eq(valid >> 1)
        for n in range(depth):
            is_next = moved[n - 1] if n else 1
            is_second = (moved[n - 2] if n > 1 else n == 1) & ~is_next if n else 0
            later = queue[n + 1] if n + 1 < depth else picks[0]
            m.d.sync += [
                queue[n].eq(Mux(moved[n], later, Mux(is_next, picks[0], picks[1]))),
                valid[n].eq(moved[n] | (is_next & choice[0].any()) | (is_second & choice[1].any())),
            ]
        m.d.comb += [
            self.done.eq(~more),
            self.settled.eq(~some & ~valid[0]),
            entries.insert.eq(valid[0]),
            entries.key.eq(queue[0].key),
            entries.position.eq(queue[0].position),
            entries.k_top.eq(self.k_top),
            entries.drain.eq(self.drain),
            entries.clear.eq(self.clear),
            self.drained.eq(entries.drained),
        ]
        return m

    def _choose(self, m: Module, entries: SortedList, one_only: Value) -> tuple:
        """Return which lanes go first and second, whether any does, and whether others are left.

        Which lanes are candidates was found a cycle before, so a beat is judged while it is
        loaded. That a threshold has risen since does no harm: the list refuses.
        """
        lanes = range(self.spec.values_per_beat)
        candidates = Signal(len(lanes))
        first, second = first_two(m, candidates, "candidates")
        taken = first | (second & ~one_only.replicate(len(lanes)))
        left = self.held
        m.d.comb += left.eq(candidates & ~taken)

        above = Cat(~entries.full | (self.following[n] > entries.threshold) for n in lanes)
        there = (self.k_top != 0).replicate(len(lanes)) & self.mask
        m.d.sync += candidates.eq(above & Mux(self.load, there, left))
        some, two, three = at_least(candidates)
        return (first, second), some, Mux(one_only, two, three)

    def _select(self, m: Module, one: Value, name: str) -> data.View:
        """Return the key and the position of the lane whose bit is set."""
        pick = Signal(self.spec.entry, name=name)
        lane_bits = exact_log2(self.spec.values_per_beat)
        with m.Switch(one):
            for n in range(len(one)):
                with m.Case("-" * (len(one) - 1 - n) + "1" + "-" * n):
                    m.d.comb += pick.key.eq(self.keys[n])
                    m.d.comb += pick.position.eq(Cat(Const(n, lane_bits), self.number))
        return pick
