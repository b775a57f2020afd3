"""An index counter behind registers: what has no clock has no energy of a cycle."""

from amaranth.hdl import Cat, Module
from amaranth.lib import data

from hw.formats import INDEX_BITS
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.counter.index_counter import IndexCounter
from hw.stream.component import In, Out, Sized


class HeldCounter(Sized[CounterSpec]):
    """The pairs' registers of a line, and one of its counters."""

    rows = In(lambda c: data.ArrayLayout(c.spec.row_bits, c.spec.counter_inputs))
    """Upper parts of the bins."""
    columns = In(lambda c: data.ArrayLayout(INDEX_BITS, c.spec.counter_inputs))
    """Lower parts."""
    used = In(lambda c: c.spec.counter_inputs)
    """Which pairs count."""
    counts = Out(lambda c: c.spec.part_bits).array(lambda c: c.spec.bins)
    """Every bin's count."""

    def build(self, m: Module) -> None:  # noqa: D102
        counter = self.put(m, "counter", IndexCounter(self.spec))
        m.d.sync += [
            Cat(counter.rows).eq(Cat(self.rows)),
            Cat(counter.columns).eq(Cat(self.columns)),
            counter.used.eq(self.used),
        ]
        m.d.comb += Cat(self.counts).eq(Cat(counter.counts))
