"""A token kept row by row, to be read while it comes in and afterwards."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data

from hw.formats import KEY
from hw.stream.component import In, InStream, Out, Sized
from hw.stream.word_memory import WordMemory
from hw.topk.orizuru.orizuru_spec import OrizuruSpec


class TokenRows(Sized[OrizuruSpec]):
    """Keep the beats of one token.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``row`` to ``keys`` and ``valid``, and from a transfer to
        ``count``.
    Rate : a row written and a row read per cycle.
    Through paths : none.
    Reset : drops the token.
    """

    LATENCY = 1

    i = InStream(lambda c: c.spec.beat)
    """Beats of the token; none of the next one before ``clear``."""
    clear = In(1)
    """Drops the token. Only when it is complete."""
    count = Out(lambda c: range(max(c.spec.beats_max, 2) + 1))
    """Rows that are there."""
    complete = Out(1)
    """Whether these are all."""
    row = In(lambda c: range(max(c.spec.beats_max, 2)))
    """Row to read."""
    keys = Out(lambda c: data.ArrayLayout(KEY, c.spec.values_per_beat))
    """Its keys."""
    valid = Out(lambda c: c.spec.values_per_beat)
    """Which of them count, when ``row`` is there."""

    def build(self, m: Module) -> None:  # noqa: D102
        lanes = self.spec.values_per_beat
        row = data.ArrayLayout(KEY, lanes).size
        memory = WordMemory(row, max(self.spec.beats_max, 2)).put_in(self, m, "memory")
        mask = Signal(lanes)  # of the row written last; all others are full
        is_last = Signal()
        m.d.comb += [
            self.i.ready.eq(~self.complete),
            memory.write_en.eq(self.i.valid & self.i.ready),
            memory.write_address.eq(self.count),
            memory.write_data.eq(self.i.payload.keys),
            memory.read_en.eq(1),
            memory.read_address.eq(self.row),
            self.keys.eq(memory.read_data),
            self.valid.eq(mask | ~is_last.replicate(lanes)),
        ]
        m.d.sync += is_last.eq(self.complete & (self.row + 1 == self.count))
        with m.If(memory.write_en):
            m.d.sync += [
                self.count.eq(self.count + 1),
                self.complete.eq(self.i.payload.last),
                mask.eq(self.i.payload.mask),
            ]
        with m.If(self.clear):
            m.d.sync += [self.count.eq(0), self.complete.eq(0)]
