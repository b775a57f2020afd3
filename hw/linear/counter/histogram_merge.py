"""Histogram merge: the counters' histograms become a channel's, which goes on slice by slice."""

from amaranth.hdl import Module, Signal

from hw.linear.counter.bin_merge import BinMerge
from hw.linear.counter.counter_spec import CounterSpec
from hw.stream.component import In, Out, Sized


class HistogramMerge(Sized[CounterSpec]):
    """Add up all counters' histograms over the beats of a channel.

    Every bin is there twice: the running counts of one channel, and the counts of the channel
    before, which move down by a slice per cycle, into the tree. The paper has the counters and
    the tree; what joins them it does not say.

    Timing
    ------
    Latency : ``LATENCY`` cycles from ``last`` to the first slice.
    Rate : one beat and one slice per cycle.
    Through paths : none.
    Reset : none needed; ``first`` starts a histogram.
    """

    LATENCY = BinMerge.LATENCY

    counts = In(lambda c: c.spec.part_bits).array(lambda c: c.spec.counters, lambda c: c.spec.bins)
    """Of each counter and bin; all zero in a cycle in which nothing is counted."""
    first = In(1)
    """A channel begins with these counts."""
    last = In(1)
    """It ends with them. Then its successor's last ones come ``steps`` cycles later at least."""
    bins = Out(lambda c: c.spec.count_bits).array(lambda c: c.spec.tree_lanes)
    """A channel's counts of the lowest ``tree_lanes`` bins, then those of the next ones ..."""

    def build(self, m: Module) -> None:  # noqa: D102
        lanes = self.spec.tree_lanes
        first, last = Signal(), Signal()
        m.d.sync += [first.eq(self.first), last.eq(self.last)]
        bins = [BinMerge(self.spec) for _ in range(self.spec.bins)]
        for n, merge in enumerate(bins):
            self.put(m, f"bin{n}", merge, first=first, last=last)
            m.d.comb += [
                merge.counts[counter].eq(self.counts[counter][n])
                for counter in range(self.spec.counters)
            ]
            if n + lanes < len(bins):
                m.d.comb += merge.following.eq(bins[n + lanes].kept)
            if n < lanes:
                m.d.comb += self.bins[n].eq(merge.kept)
