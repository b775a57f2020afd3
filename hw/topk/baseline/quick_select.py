"""Quick-select: narrows a stored token down by comparisons with pivots."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, enum, wiring
from amaranth.utils import ceil_log2, exact_log2

from hw.arith.bits import first_one
from hw.topk.baseline.pivot_sampler import PivotSampler
from hw.topk.baseline.ranked_entries import RankedEntries
from hw.topk.baseline.row_reader import RowReader
from hw.topk.orizuru.orizuru_spec import OrizuruSpec
from hw.topk.outlier_engine import OutlierEngine

SIDES = "largest", "smallest"
SLICE_BITS = 6  # of a comparison; shorter slices lie beside each other, longer ones ripple


class Step(enum.Enum):
    """What the engine is doing."""

    FETCH = 0  # reads a row of the token for the first pivot
    LOOK = 1  # one of its lanes is sampled
    AIM = 2  # that is the pivot
    PASS = 3  # keeps what is not worse than the pivot
    JUDGE = 4  # enough, or few enough?
    RANK = 5  # each that is left is the pivot once; as many as are better is its rank
    SEND = 6  # both sides are known


class QuickSelect(OutlierEngine):
    """Find the k_top largest and the k_top smallest activations of each token.

    Bit-exact with :func:`golden.exact.outliers.select_outliers`: of equals the lower position comes
    first, on both sides. A baseline for :class:`hw.topk.orizuru.orizuru_stream.OrizuruStream` in
    the manner of SpAtten's top-k engine (arXiv 2012.09852). The token is stored. A pass compares a
    row of values per cycle with a random pivot and keeps those that are not worse. If fewer than
    k_top are left it is done again with a worse pivot, otherwise the next one goes over what is
    left. In the end few are ranked by the same comparators. The largest come first, then the
    smallest.

    Here positions take part in comparisons, so no two values are equal; lanes close up each for
    itself, where SpAtten has a network; and outliers come sorted, which its engine leaves out.

    Parameters
    ----------
    spec : OrizuruSpec
        Activations per beat, the longest token and the longest lists.

    Timing
    ------
    Latency : depends on the data and on chance, without a bound. From the first beat of 4096 random
        values, 16 a beat and k_top 21: 766 cycles in the mean until the largest are known, ranked,
        and 1452 for both sides; 1763 and 2344 at most in 100 tokens. The first pass takes place
        while the token comes in.
    Rate : a beat per cycle, without a pause; after a token no beat is taken until its outliers
        have been.
    Through paths : none.
    Reset : drops the token under way.
    """

    def __init__(self, spec: OrizuruSpec) -> None:
        # With fewer values left they are ranked. More than outliers_max, or there would be
        # none in between.
        self.few = 1 << ceil_log2(3 * spec.outliers_max // 2 + 1)
        super().__init__(spec)

    @property
    def comparators(self) -> int:
        """Comparators of two keys: one a lane."""
        return self.spec.values_per_beat

    def build(self, m: Module) -> None:  # noqa: D102
        m.submodules.rows = rows = RowReader(self.spec)
        m.submodules.sampler = sampler = PivotSampler(self.spec)
        wiring.connect(m, wiring.flipped(self.i), rows.i)
        step = Signal(Step)
        smallest = Signal()  # the side that is looked for
        whole = Signal(init=1)  # the token is read, not what is left of it
        pivot = Signal(self.spec.entry)
        over = Signal()  # the pass, in this cycle
        m.d.comb += [
            rows.whole.eq(whole),
            rows.invert.eq(~smallest),
            over.eq(rows.here & ~rows.valid.any()),
        ]
        count, total = self._compare(m, rows, sampler, step == Step.PASS, pivot, smallest)
        found = self._take_turns(m, rows, sampler, step == Step.RANK, over)
        ended = (step == Step.RANK) & over & ~found
        ranked = Signal()  # the first pivot there is none of those that are left
        m.d.sync += ranked.eq((step == Step.RANK) & (ranked | over))

        sent = self._send(m, pivot, smallest, total, over & ranked, ended)

        with m.Switch(step):
            with m.Case(Step.FETCH):
                m.d.comb += [rows.first.eq(~smallest), rows.middle.eq(smallest)]
                m.d.comb += rows.read.eq(1)
                with m.If(rows.some):
                    m.d.sync += step.eq(Step.LOOK)
            with m.Case(Step.LOOK):
                m.d.sync += step.eq(Step.AIM)
            with m.Case(Step.AIM):
                m.d.comb += [rows.read.eq(1), rows.first.eq(1), rows.begin.eq(1)]
                m.d.sync += [pivot.eq(sampler.sample), count.eq(0)]
                m.d.sync += step.eq(Mux(sampler.sampled, Step.PASS, Step.FETCH))
            with m.Case(Step.PASS):
                m.d.comb += [rows.read.eq(~over), rows.close.eq(over)]
                with m.If(over):
                    m.d.sync += step.eq(Step.JUDGE)
            with m.Case(Step.JUDGE):
                m.d.comb += [rows.first.eq(1), rows.begin.eq(1)]
                m.d.sync += [step.eq(Step.PASS), count.eq(0)]
                with m.If(count < self.k_top):
                    with m.If(sampler.dropped_any):
                        m.d.sync += pivot.eq(sampler.dropped)
                with m.Elif(count < self.few):
                    m.d.comb += rows.accept.eq(1)
                    # A value does not count itself.
                    m.d.sync += [step.eq(Step.RANK), whole.eq(0), count.eq(-1)]
                with m.Elif(sampler.kept_any):
                    m.d.comb += rows.accept.eq(1)
                    m.d.sync += [pivot.eq(sampler.kept), whole.eq(0)]
            with m.Case(Step.RANK):
                m.d.comb += [rows.read.eq(~over | found), rows.first.eq(over)]
                with m.If(over):
                    m.d.sync += [pivot.eq(sampler.sample), count.eq(-1)]
                    with m.If(~found):
                        m.d.sync += [whole.eq(1), smallest.eq(1)]
                        m.d.sync += step.eq(Mux(smallest, Step.SEND, Step.FETCH))
            with m.Case(Step.SEND):
                with m.If(sent):
                    m.d.comb += rows.clear.eq(1)
                    m.d.sync += [step.eq(Step.FETCH), smallest.eq(0)]

    def _compare(
        self,
        m: Module,
        rows: RowReader,
        sampler: PivotSampler,
        passing: Value,
        pivot: data.View,
        smallest: Signal,
    ) -> tuple[Signal, Signal]:
        """Compare a row with the pivot; return how many are not worse, before it and with it.

        Positions are inverted for the largest, so that of equal keys the lower one is better on
        both sides. The count comes a cycle later than the row.
        """
        lanes = self.spec.values_per_beat
        keep, kept = Signal(lanes), Signal(lanes)
        count, total = (Signal(range(self.spec.inputs_max + 1)) for _ in range(2))
        for lane in range(lanes):
            entry = rows.entries[lane]
            # A bit below all others decides between the pivot and itself: it stays.
            value = Cat(~smallest, entry.position, entry.key).as_signed()
            limit = Cat(Const(0, 1), pivot.position, pivot.key).as_signed()
            good = Signal(name=f"good{lane}")
            m.d.comb += [
                good.eq(_exceeds(value, limit) ^ smallest),
                keep[lane].eq(good & rows.valid[lane]),
                rows.keep[lane].eq(good & (rows.valid[lane] & passing)),
            ]
        m.d.sync += [kept.eq(keep), count.eq(total)]
        m.d.comb += [
            total.eq(count + sum(kept[1:], kept[0])),
            sampler.entries.eq(rows.entries),
            sampler.valid.eq(rows.valid),
            sampler.keep.eq(keep),
            sampler.row.eq(rows.number),
            sampler.kept_row.eq(count >> exact_log2(lanes)),
            sampler.clear.eq(rows.begin),
        ]
        return count, total

    def _take_turns(
        self, m: Module, rows: RowReader, sampler: PivotSampler, ranking: Value, over: Signal
    ) -> Signal:
        """While a value is ranked find the next one; return whether there is one."""
        lanes = self.spec.values_per_beat
        turn = Signal(range(self.few))  # the row that has it
        had, waiting = Signal(lanes), Signal(lanes)
        found, looking = Signal(), Signal()
        m.d.comb += [
            looking.eq(ranking & rows.here & (rows.number == turn)),
            waiting.eq(Mux(looking, rows.valid & ~had, 0)),
            sampler.choose.eq(ranking),
            sampler.choice.eq(first_one(m, waiting, "chosen")),
        ]
        with m.If(~ranking):
            m.d.sync += [turn.eq(0), had.eq(0)]
        with m.Elif(waiting.any()):
            m.d.sync += had.eq(had | sampler.choice)
        with m.Elif(looking):
            m.d.sync += [turn.eq(turn + 1), had.eq(0)]
        m.d.sync += found.eq(~over & (found | waiting.any()))
        return found

    def _send(
        self, m: Module, pivot: data.View, smallest: Signal, rank: Value, write: Value, ended: Value
    ) -> Value:
        """Keep pivots by their ranks; send a side once it has ended; return when both are sent."""
        sides = RankedEntries(self.spec, self.few), RankedEntries(self.spec, self.few)
        sent = sides[0].drained & sides[1].drained
        inverted = (~smallest).replicate(self.spec.position_bits)
        for name, side, this in zip(SIDES, sides, (~smallest, smallest), strict=True):
            self.put(m, name, side)
            drain = Signal(name=f"{name}_known")
            with m.If((ended & this) | sent):
                m.d.sync += drain.eq(~sent)
            m.d.comb += [
                side.k_top.eq(self.k_top),
                side.write.eq(write & this),
                side.rank.eq(rank),
                side.entry.key.eq(pivot.key),
                side.entry.position.eq(pivot.position ^ inverted),
                side.drain.eq(drain),
            ]
            wiring.connect(m, side.o, wiring.flipped(getattr(self, f"{name}_o")))
        return sent


def _exceeds(a: Value, b: Value) -> Value:
    """Return whether ``a`` exceeds ``b``: short comparisons beside each other, the sign on top."""
    above, level = Const(0, 1), Const(1, 1)
    for end in range(len(a), 0, -SLICE_BITS):
        x, y = a[max(end - SLICE_BITS, 0) : end], b[max(end - SLICE_BITS, 0) : end]
        if end == len(a):
            x, y = x.as_signed(), y.as_signed()
        above, level = above | (level & (x > y)), level & (x >= y)
    return above
