"""FP16 counter tree: counts times products, added up."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.utils import exact_log2

from golden.exact.counter_fp16 import BINS
from hw.formats import require_power_of_two
from hw.fp16.fp16_add import Fp16Add
from hw.linear.counter_fp16.count_multiply import CountMultiply
from hw.linear.counter_fp16.fp16_pair_add import Fp16PairAdd
from hw.stream.component import Component, In, Out
from hw.stream.share import looked_at


class Fp16CountTree(Component):
    """Multiply all 256 counts of an output channel with their products, and add up.

    Bit-exact with :func:`golden.exact.counter_fp16.main_sums`: a balanced tree over all bins. Each
    beat brings ``tree_lanes`` neighbouring bins, whose sum is the lower part of the tree; of the
    upper part, each level adds neighbours in time. No sum feeds back, so nothing has to be
    interleaved, and the bits do not depend on ``tree_lanes``.

    Parameters
    ----------
    tree_lanes : int
        Bins a beat: a power of two, 2 to 128.
    count_bits : int
        Bits of a count, 1 to 15.

    Timing
    ------
    Latency : ``latency`` cycles from a channel's last beat to its sum.
    Rate : one beat per cycle, across channels; nothing can make it wait.
    Through paths : none.
    Reset : drops the sums under way; the next beat is a channel's first.
    """

    counts = In(lambda c: c.count_bits).array(lambda c: c.tree_lanes)
    """Lane n of a channel's beat b: bin ``tree_lanes * b + n``."""
    products = In(16).array(lambda c: c.tree_lanes)
    """FP16 patterns: the bins' entries of the product table."""
    i_en = In(1)
    """Strobe: this is the next beat. A channel has ``beats``; beats may come with pauses."""
    o = Out(16)
    """FP16 pattern of a channel's sum."""
    o_en = Out(1)
    """Strobe: ``o`` is the next channel's."""

    def __init__(self, tree_lanes: int, count_bits: int) -> None:
        require_power_of_two("tree_lanes", tree_lanes, low=2, high=BINS // 2)
        self.tree_lanes, self.count_bits = tree_lanes, count_bits
        lane = looked_at(CountMultiply(count_bits, pipelined=True))
        self.beats = BINS // tree_lanes
        self.beat_latency = lane.latency + Fp16Add.STAGES * exact_log2(tree_lanes)
        self.latency = self.beat_latency + Fp16PairAdd.LATENCY * exact_log2(self.beats)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        terms = []
        for n in range(self.tree_lanes):
            lane = self.put(m, f"lane{n}", CountMultiply(self.count_bits, pipelined=True))
            m.d.comb += [lane.count.eq(self.counts[n]), lane.product.eq(self.products[n])]
            terms.append(lane.o)
        while len(terms) > 1:
            sums = []
            for n, (a, b) in enumerate(zip(terms[0::2], terms[1::2], strict=True)):
                adder = self.put(m, f"adder{len(terms) // 2}_{n}", Fp16Add(pipelined=True))
                m.d.comb += [adder.a.eq(a), adder.b.eq(b)]
                sums.append(adder.o)
            terms = sums

        under_way = Signal(self.beat_latency)
        m.d.sync += under_way.eq(Cat(self.i_en, under_way))
        total, total_en = terms[0], under_way[-1]
        for n in range(exact_log2(self.beats)):
            level = self.put(m, f"level{n}", Fp16PairAdd(), i=total, i_en=total_en)
            total, total_en = level.o, level.o_en
        m.d.comb += [self.o.eq(total), self.o_en.eq(total_en)]
