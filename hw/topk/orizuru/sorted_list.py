"""Sorted list of the keys furthest out: one insertion per cycle."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data

from hw.arith.bits import choose, is_beyond
from hw.formats import KEY
from hw.stream.component import Component, In, Out, OutStream


class SortedList(Component):
    """Keep the k_top largest, or smallest, keys in order, and send them with their positions.

    Of equal keys the one inserted first stays ahead. An insertion shifts the entries behind it, so
    that the last one falls off: registers alone, the smallest form for some tens of entries. They
    leave by the same shift, the last one first, which costs next to nothing; the other order
    costs a multiplexer over all entries.

    Parameters
    ----------
    entries : int
        Keys kept at most.
    position_bits : int
        Bits of a position.
    largest : bool
        Whether the largest keys are kept, the largest first in the list, or the smallest.
    reverse : bool
        Whether the last entry leaves first.

    Timing
    ------
    Latency : ``LATENCY`` cycle from an insertion to ``threshold``; 0 from ``drain`` to
        ``o.valid``.
    Rate : one insertion per cycle; one entry sent per cycle while ``o.ready`` is high.
    Through paths : ``drain`` to ``o.valid``, ``drain`` to ``drained``; combinational.
    Reset : empties the list.
    """

    LATENCY = 1

    k_top = In(lambda c: range(c.entries + 1))
    """Keys to keep. Steady between clearings."""
    insert = In(1)
    """Inserts ``key`` and ``position`` where they belong. Not while draining."""
    key = In(KEY)
    """FP16 key."""
    position = In(lambda c: c.position_bits)
    """Where the key stood."""
    full = Out(1)
    """Whether k_top keys are there."""
    threshold = Out(KEY)
    """The last of them: a key that is not beyond it need not be inserted."""
    drain = In(1)
    """Sends the entries that are there (in reverse, k_top must be); then ``drained`` rises. Stays
    high until ``clear``.
    """
    drained = Out(1)
    """Whether all have been sent."""
    clear = In(1)
    """Empties the list."""
    o = OutStream(lambda c: c.entry)
    """Keys and positions in order."""

    def __init__(
        self, entries: int, position_bits: int, largest: bool = True, reverse: bool = False
    ) -> None:
        self.entries, self.position_bits, self.largest = entries, position_bits, largest
        self.reverse = reverse
        self.entry = data.StructLayout({"key": KEY, "position": position_bits})
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        count, none = self.entries, Const(0, 1)
        entries = [Signal(self.entry, name=f"entry{n}", reset_less=True) for n in range(count)]
        held = Signal(count)
        # The last k_top registers are in use, so the threshold is always in the last one.
        first = Signal(range(count + 1))
        new = Cat(self.key, self.position)
        leave = Signal()  # all move up by one, and nothing enters
        m.d.comb += [
            first.eq(count - self.k_top),
            self.full.eq(held[-1]),
            self.threshold.eq(entries[-1].key),
        ]
        if self.reverse:
            self._send_last(m, entries[-1], held[-1], leave)
        else:
            self._send_first(m, first, entries, held)

        # As the list is sorted, this is a thermometer: the new key goes before entry n.
        before = Signal(count)
        for n in range(count):
            beyond = is_beyond(self.key, entries[n].key, largest=self.largest)
            used = Signal(name=f"used{n}")
            m.d.comb += [
                used.eq(first <= n),
                before[n].eq(used & (leave | (self.insert & (~held[n] | beyond)))),
            ]
            shifts = before[n - 1] if n else none
            enters = before[n] & ~shifts
            ahead = entries[n - 1].as_value() if n else none
            kept = choose((~before[n], held[n]), (shifts, held[n - 1] if n else none))
            m.d.sync += [
                entries[n].eq(choose((~before[n], entries[n]), (shifts, ahead), (enters, new))),
                held[n].eq(~self.clear & (kept | (enters & ~leave))),
            ]

    def _send_last(self, m: Module, last: data.View, held: Value, leave: Signal) -> None:
        """Send the last entry and shift."""
        m.d.comb += [
            self.o.payload.eq(last),
            self.o.valid.eq(self.drain & held),
            self.drained.eq(self.drain & ~held),
            leave.eq(self.o.valid & self.o.ready),
        ]

    def _send_first(self, m: Module, first: Signal, entries: list[data.View], held: Signal) -> None:
        """Send one entry after another."""
        number = Signal(range(self.entries + 1))
        more = Signal()
        with m.Switch(number):
            for n, entry in enumerate(entries):
                with m.Case(n):
                    m.d.comb += [self.o.payload.eq(entry), more.eq(held[n])]
        m.d.comb += [self.o.valid.eq(self.drain & more), self.drained.eq(self.drain & ~more)]
        with m.If(~self.drain):
            m.d.sync += number.eq(first)
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += number.eq(number + 1)
