"""Sorted list of the largest keys seen: one insertion or one pop per cycle."""

from itertools import pairwise

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.engine_spec import KEY


class SortedList(wiring.Component):
    """Keep the largest keys in descending order, with their positions.

    Of equal keys the one inserted first stays ahead. What falls off the end is gone.

    Parameters
    ----------
    entries : int
        Keys kept at most.
    position_bits : int
        Bits of a position.

    Ports
    -----
    insert : In(1)
        Inserts ``key`` and ``position`` where they belong.
    key : In(signed(16))
        FP16 key.
    position : In(position_bits)
        Where the key stood.
    pop : In(1)
        Removes the head; takes precedence over ``insert``.
    clear : In(1)
        Empties the list; takes precedence over both.
    last : In(range(max(entries, 2)))
        Number of the last entry that counts, from 0.
    head : Out(``entry``)
        The largest key.
    full : Out(1)
        Whether the last entry that counts is there.
    threshold : Out(signed(16))
        Its key: a key that does not exceed it need not be inserted.

    Timing
    ------
    Latency : ``head``, ``full`` and ``threshold`` follow one cycle after a change.
    Rate : one insertion or pop per cycle.
    Through paths : ``last`` to ``full`` and ``threshold``, combinational.
    Reset : empties the list.
    """

    insert: Signal
    key: Signal
    position: Signal
    pop: Signal
    clear: Signal
    last: Signal
    head: data.View
    full: Signal
    threshold: Signal

    def __init__(self, entries: int, position_bits: int) -> None:
        self.entries = entries
        self.position_bits = position_bits
        self.entry = data.StructLayout({"key": KEY, "position": position_bits})
        ports = {
            "insert": In(1),
            "key": In(KEY),
            "position": In(position_bits),
            "pop": In(1),
            "clear": In(1),
            "last": In(range(max(entries, 2))),
            "head": Out(self.entry),
            "full": Out(1),
            "threshold": Out(KEY),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        new = Signal(self.entry)
        m.d.comb += [new.key.eq(self.key), new.position.eq(self.position)]

        entries = [Signal(self.entry, name=f"entry{n}") for n in range(self.entries)]
        held = Signal(self.entries)  # a thermometer: entry n is there
        # As the list is sorted, this too is a thermometer: the new key goes before entry n.
        before = Signal(self.entries)
        for n, entry in enumerate(entries):
            m.d.comb += before[n].eq(~held[n] | (self.key > entry.key))

        with m.If(self.clear):
            m.d.sync += held.eq(0)
        with m.Elif(self.pop):
            m.d.sync += held.eq(held >> 1)
            for entry, following in pairwise(entries):
                m.d.sync += entry.eq(following)
        with m.Elif(self.insert):
            m.d.sync += held.eq((held << 1) | 1)
            for n, entry in enumerate(entries):
                with m.If(before[n]):
                    m.d.sync += entry.eq(Mux(before[n - 1], entries[n - 1], new) if n else new)

        with m.Switch(self.last):
            for n, entry in enumerate(entries):
                with m.Case(n):
                    m.d.comb += [self.full.eq(held[n]), self.threshold.eq(entry.key)]
        m.d.comb += self.head.eq(entries[0])
        return m
