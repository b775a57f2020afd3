"""A token kept row by row, to be read while it comes in and afterwards."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data
from amaranth.lib.memory import Memory

from hw.formats import KEY
from hw.stream.component import In, InStream, Out, Sized
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
        m.submodules.memory = memory = Memory(
            shape=data.ArrayLayout(KEY, lanes), depth=max(self.spec.beats_max, 2), init=[]
        )
        write, read = memory.write_port(), memory.read_port()
        mask = Signal(lanes)  # of the row written last; all others are full
        is_last = Signal()
        m.d.comb += [
            self.i.ready.eq(~self.complete),
            write.en.eq(self.i.valid & self.i.ready),
            write.addr.eq(self.count),
            write.data.eq(self.i.payload.keys),
            read.addr.eq(self.row),
            self.keys.eq(read.data),
            self.valid.eq(mask | ~is_last.replicate(lanes)),
        ]
        m.d.sync += is_last.eq(self.complete & (self.row + 1 == self.count))
        with m.If(write.en):
            m.d.sync += [
                self.count.eq(self.count + 1),
                self.complete.eq(self.i.payload.last),
                mask.eq(self.i.payload.mask),
            ]
        with m.If(self.clear):
            m.d.sync += [self.count.eq(0), self.complete.eq(0)]
