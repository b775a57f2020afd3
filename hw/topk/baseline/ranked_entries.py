"""Outliers that are written in any order and sent in that of their ranks."""

from amaranth.hdl import Module, Signal

from hw.stream.component import Component, In, Out, OutStream
from hw.stream.word_memory import WordMemory
from hw.topk.orizuru.orizuru_spec import OrizuruSpec


class RankedEntries(Component):
    """Keep entries by their rank and send the first k_top.

    Parameters
    ----------
    spec : OrizuruSpec
        Layout of the entries.
    depth : int
        Ranks, a power of two.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``drain`` to ``o.valid``.
    Rate : one entry sent per cycle while ``o.ready`` is high.
    Through paths : none.
    Reset : drops ``o.valid``.
    """

    LATENCY = 1

    k_top = In(lambda c: range(c.spec.outliers_max + 1))
    """Entries to send. Steady while ``drain`` is high."""
    write = In(1)
    """Takes ``entry`` as that of ``rank``. Not while draining."""
    rank = In(lambda c: range(c.depth))
    """Its rank, 0 for the first."""
    entry = In(lambda c: c.spec.entry)
    """What is written."""
    drain = In(1)
    """Sends the entries; then ``drained`` rises. High until then."""
    drained = Out(1)
    """Whether all have been sent."""
    o = OutStream(lambda c: c.spec.entry)
    """Entries in the order of their ranks."""

    def __init__(self, spec: OrizuruSpec, depth: int) -> None:
        self.spec, self.depth = spec, depth
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        memory = WordMemory(self.spec.entry.size, self.depth).put_in(self, m, "memory")
        number = Signal(range(self.spec.outliers_max + 1))
        more, advance = Signal(), Signal()
        m.d.comb += [
            memory.write_en.eq(self.write),
            memory.write_address.eq(self.rank),
            memory.write_data.eq(self.entry),
            more.eq(number != self.k_top),
            advance.eq(~self.o.valid | self.o.ready),
            memory.read_address.eq(number),
            memory.read_en.eq(advance),
            self.o.payload.eq(memory.read_data),
            self.drained.eq(self.drain & ~more & ~self.o.valid),
        ]
        with m.If(~self.drain):
            m.d.sync += number.eq(0)
        with m.Elif(advance):
            m.d.sync += [self.o.valid.eq(more), number.eq(number + more)]
