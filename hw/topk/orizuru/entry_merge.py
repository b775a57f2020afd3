"""Merge of two sorted streams of outliers."""

from amaranth.hdl import Module, Mux, Signal

from hw.arith.bits import is_beyond
from hw.stream.component import Component, In, InStream, Out, OutStream
from hw.topk.orizuru.orizuru_spec import OrizuruSpec


class EntryMerge(Component):
    """Take the k_top keys furthest out of two sorted lists.

    Of equal keys the lower position comes first. What is beyond k_top is taken and dropped.

    Parameters
    ----------
    spec : OrizuruSpec
        Layout of the entries.
    largest : bool
        Whether the lists are in descending order, the largest first, or in ascending order.

    Timing
    ------
    Latency : ``LATENCY`` cycle from the later of the heads, or the end of one list, to ``o.valid``.
    Rate : one entry per cycle while ``o.ready`` is high; two dropped per cycle.
    Through paths : ``o.ready`` to ``a.ready``, ``o.ready`` to ``b.ready``,
        ``a.valid`` to ``a.ready``, ``a.valid`` to ``b.ready``, ``b.valid`` to ``a.ready``,
        ``b.valid`` to ``b.ready``, ``a.payload`` to ``a.ready``, ``a.payload`` to ``b.ready``,
        ``b.payload`` to ``a.ready``, ``b.payload`` to ``b.ready``; combinational.
    Reset : drops the entry in flight.
    """

    LATENCY = 1

    k_top = In(lambda c: range(c.spec.outliers_max + 1))
    """Entries to pass on."""
    a = InStream(lambda c: c.spec.entry)
    """One list."""
    a_drained = In(1)
    """Whether it has ended."""
    b = InStream(lambda c: c.spec.entry)
    """The other."""
    b_drained = In(1)
    """Whether that has ended."""
    clear = In(1)
    """Begins anew."""
    o = OutStream(lambda c: c.spec.entry)
    """The merged list."""
    drained = Out(1)
    """Whether both lists have ended and all entries are passed on."""

    def __init__(self, spec: OrizuruSpec, largest: bool = True) -> None:
        self.spec, self.largest = spec, largest
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        a, b = self.a.payload, self.b.payload
        ahead = is_beyond(a.key, b.key, largest=self.largest)
        passed = Signal(range(self.spec.outliers_max + 1))
        enough, known, a_first, advance = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            enough.eq(passed == self.k_top),
            known.eq((self.a.valid | self.a_drained) & (self.b.valid | self.b_drained)),
            a_first.eq(
                ~self.b.valid
                | (self.a.valid & (ahead | ((a.key == b.key) & (a.position < b.position))))
            ),
            advance.eq(known & (~self.o.valid | self.o.ready)),
            self.a.ready.eq(enough | (advance & a_first)),
            self.b.ready.eq(enough | (advance & ~a_first)),
            self.drained.eq(self.a_drained & self.b_drained & ~self.o.valid),
        ]
        taken = Signal()
        m.d.comb += taken.eq(advance & ~enough & (self.a.valid | self.b.valid))
        with m.If(taken):
            m.d.sync += [
                self.o.valid.eq(1),
                self.o.payload.eq(Mux(a_first, a.as_value(), b.as_value())),
                passed.eq(passed + 1),
            ]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.clear):
            m.d.sync += passed.eq(0)
