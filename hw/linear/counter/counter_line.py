"""Counter line: all that works on one output channel."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import data

from hw.formats import INDEX_BITS
from hw.linear.counter.concat_unit import ConcatUnit
from hw.linear.counter.count_tree import CountTree
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.counter.histogram_merge import HistogramMerge
from hw.linear.counter.index_counter import IndexCounter
from hw.stream.component import In, Out, Sized


class CounterLine(Sized[CounterSpec]):
    """Count a channel's index pairs, and multiply the counts with the products (paper: PE line).

    Counting a channel and multiplying the one before run side by side. Nothing here waits: who
    feeds it makes sure that the channels come ``steps`` cycles apart.

    Timing
    ------
    Latency : ``latency`` cycles from ``last`` to ``sum``, which stays for a cycle.
    Rate : one beat per cycle, one channel every ``steps`` cycles.
    Through paths : none.
    Reset : none needed; ``first`` and ``slice_first`` start anew.
    """

    BINS = HistogramMerge.LATENCY

    weights = In(lambda c: data.ArrayLayout(INDEX_BITS, c.spec.pairs))
    """Weight codes of a beat, a cycle ahead of the rest."""
    activations = In(lambda c: data.ArrayLayout(INDEX_BITS, c.spec.pairs))
    """Activation codes, the same for all lines."""
    used = In(lambda c: c.spec.pairs)
    """Which pairs count; none in a cycle without a beat."""
    first = In(1)
    """The beat is a channel's first."""
    last = In(1)
    """It is its last."""
    entries = In(lambda c: c.spec.entry_bits).array(lambda c: c.spec.tree_lanes)
    """Products of the first slice of bins ``BINS`` cycles after ``last``; then of the others."""
    slice_first = In(1)
    """They are those of the first slice."""
    start = In(lambda c: signed(c.spec.main_bits))
    """As for :class:`hw.linear.counter.count_tree.CountTree`."""
    sum = Out(lambda c: signed(c.spec.main_bits))
    """The channel's sum."""

    def __init__(self, spec: CounterSpec) -> None:
        self.latency = self.BINS + spec.steps - 1 + CountTree.LATENCY
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        merge = counted(m, self)
        tree = self.put(m, "tree", CountTree(spec))
        m.d.comb += [
            Cat(tree.counts).eq(Cat(merge.bins)),
            Cat(tree.entries).eq(Cat(self.entries)),
            tree.first.eq(self.slice_first),
            tree.start.eq(self.start),
            self.sum.eq(tree.sum),
        ]


def counted(m: Module, line: Any) -> HistogramMerge:
    """Count a line's pairs; return what has the bins."""
    spec = line.spec
    weights = Signal(data.ArrayLayout(INDEX_BITS, spec.pairs), reset_less=True)
    m.d.sync += weights.eq(line.weights)
    merge = line.put(m, "merge", HistogramMerge(spec), first=line.first, last=line.last)
    for n in range(spec.counters):
        counter = line.put(m, f"counter{n}", IndexCounter(spec))
        m.d.comb += Cat(merge.counts[n]).eq(Cat(counter.counts))
        for k in range(spec.counter_inputs):
            place = n * spec.counter_inputs + k
            concat = line.put(m, f"concat{place}", ConcatUnit(spec))
            m.d.comb += [
                concat.activation.eq(line.activations[place]),
                concat.weight.eq(weights[place]),
                counter.rows[k].eq(concat.row),
                counter.columns[k].eq(concat.column),
                counter.used[k].eq(line.used[place]),
            ]
    return merge
