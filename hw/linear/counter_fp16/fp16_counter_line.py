"""FP16 counter line: all that works on one output channel."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data

from hw.formats import INDEX_BITS
from hw.linear.counter.counter_line import counted
from hw.linear.counter.histogram_merge import HistogramMerge
from hw.linear.counter_fp16.fp16_count_tree import Fp16CountTree
from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec
from hw.stream.component import In, Out, Sized
from hw.stream.share import looked_at


class Fp16CounterLine(Sized[Fp16CounterSpec]):
    """Count a channel's index pairs, and multiply the counts with FP16 products.

    The counterpart of :class:`hw.linear.counter.counter_line.CounterLine`, with the paper's MAC
    tree.

    Timing
    ------
    Latency : ``latency`` cycles from ``last`` to ``sum``, which stays for a cycle.
    Rate : one beat per cycle, one channel every ``steps`` cycles.
    Through paths : none.
    Reset : drops the sums under way; ``first`` starts anew.
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
    entries = In(16).array(lambda c: c.spec.tree_lanes)
    """FP16 products of the first slice of bins ``BINS`` cycles after ``last``; then of the others.
    """
    slice_first = In(1)
    """They are those of the first slice."""
    sum = Out(16)
    """The channel's FP16 sum."""

    def __init__(self, spec: Fp16CounterSpec) -> None:
        tree = looked_at(Fp16CountTree(spec.tree_lanes, spec.count_bits))
        self.latency = self.BINS + spec.steps - 1 + tree.latency
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        merge = counted(m, self)
        tree = self.put(m, "tree", Fp16CountTree(self.spec.tree_lanes, self.spec.count_bits))
        slices = Signal(self.spec.steps - 1)  # bit n: the first one was n + 1 cycles before
        m.d.sync += slices.eq(Cat(self.slice_first, slices))
        m.d.comb += [
            Cat(tree.counts).eq(Cat(merge.bins)),
            Cat(tree.products).eq(Cat(self.entries)),
            tree.i_en.eq(self.slice_first | slices.any()),
            self.sum.eq(tree.o),
        ]
