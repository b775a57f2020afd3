"""Bitonic top-k: sorts every beat, whatever it holds, and keeps the best of all."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring

from hw.topk.baseline.chunk_sorter import ChunkSorter, merge_sort, sorter_latency
from hw.topk.baseline.rank_lists import RankLists, flush_cycles, list_lengths
from hw.topk.orizuru.orizuru_spec import OrizuruSpec
from hw.topk.outlier_engine import OutlierEngine


class BitonicTopK(OutlierEngine):
    """Find the k_top largest and the k_top smallest activations of each token.

    Bit-exact with :func:`golden.exact.outliers.select_outliers`: of equals the lower position comes
    first, on both sides. A baseline for :class:`hw.topk.orizuru.orizuru_stream.OrizuruStream`, in
    the manner of bitonic top-k engines: it sorts every beat, so its cycles do not depend on the
    data. To be lean it has the smaller of Batcher's two networks, one for both sides, and inserts
    what is sorted.

    Parameters
    ----------
    spec : OrizuruSpec
        Activations per beat, the longest token and the longest lists.

    Timing
    ------
    Latency : ``latency`` cycles from the transfer of the last beat to ``valid`` on both outputs.
    Rate : a beat per cycle, and a cycle more for a last beat that is not full. After a token no
        beat is taken for ``latency`` cycles and until ``spec.outliers_max`` entries have gone on
        both sides; those beyond k_top take a cycle each.
    Through paths : ``i.payload`` to ``i.ready``; combinational.
    Reset : drops the token under way, and takes ``reset_cycles`` before the first beat.
    """

    def __init__(self, spec: OrizuruSpec) -> None:
        self._flush_cycles = flush_cycles(spec)
        self.latency = sorter_latency(spec.values_per_beat) + 1 + self._flush_cycles
        self.reset_cycles = self._flush_cycles + spec.outliers_max + 1
        super().__init__(spec)

    @property
    def comparators(self) -> int:
        """Comparators of two keys: those of the sorter, and one for each place in a list."""
        sorter = sum(len(layer.pairs) for layer in merge_sort(self.spec.values_per_beat))
        return sorter + 2 * sum(list_lengths(self.spec))

    def build(self, m: Module) -> None:  # noqa: D102
        sorter = ChunkSorter(self.spec.values_per_beat)
        sides = largest, smallest = RankLists(self.spec), RankLists(self.spec)
        self.put(m, "sorter", sorter)
        self.put(m, "largest", largest)
        self.put(m, "smallest", smallest)

        closing = Signal(init=1)  # until the token's outliers have gone
        to_largest, to_smallest, last = self._feed(m, sorter, closing)

        # After a token, and after a reset to empty the lists: collect the best, then send them.
        flush, drain, emptied = Signal(init=1), Signal(), Signal()
        step = Signal(range(self._flush_cycles))
        with m.If(last):
            m.d.sync += flush.eq(1)
        with m.Elif(flush):
            m.d.sync += step.eq(step + 1)
            with m.If(step == self._flush_cycles - 1):
                m.d.sync += [step.eq(0), flush.eq(0), drain.eq(1)]
        with m.Elif(largest.drained & smallest.drained):
            m.d.sync += [drain.eq(0), closing.eq(0), emptied.eq(1)]

        number = Signal(range(max(self.spec.beats_max, 2)))
        with m.If(to_smallest):
            m.d.sync += number.eq(Mux(last, 0, number + 1))
        for side, load in zip(sides, (to_largest, to_smallest), strict=True):
            m.d.comb += [
                side.k_top.eq(Mux(emptied, self.k_top, 0)),
                side.load.eq(load),
                side.flush.eq(flush),
                side.drain.eq(drain),
            ]
        for rank in range(len(largest.chunk)):
            best, least = sorter.o[rank], sorter.o[self.spec.values_per_beat - 1 - rank]
            m.d.comb += [
                largest.chunk[rank].key.eq(best.key),
                largest.chunk[rank].position.eq(Cat(best.rising, number)),
                smallest.chunk[rank].key.eq(~least.key),
                smallest.chunk[rank].position.eq(Cat(least.falling, number)),
            ]
        wiring.connect(m, largest.o, wiring.flipped(self.largest_o))
        m.d.comb += [
            self.smallest_o.valid.eq(smallest.o.valid),
            self.smallest_o.payload.key.eq(~smallest.o.payload.key),
            self.smallest_o.payload.position.eq(smallest.o.payload.position),
            smallest.o.ready.eq(self.smallest_o.ready),
        ]

    def _feed(self, m: Module, sorter: ChunkSorter, closing: Signal) -> Value:
        """Sort each beat; return when a sorted one is for either side, and is a token's last.

        A beat that is not full is sorted twice, with the missing lanes below, then above the rest.
        """
        again, full, taken = Signal(), Signal(), Signal()
        m.d.comb += [
            full.eq(self.i.payload.mask[-1]),  # lanes that do not count are the upper ones
            self.i.ready.eq(~closing & (full | again)),
            taken.eq(self.i.valid & self.i.ready),
        ]
        m.d.sync += again.eq(self.i.valid & ~closing & ~full & ~again)
        for lane in range(self.spec.values_per_beat):
            key, there = self.i.payload.keys[lane], self.i.payload.mask[lane]
            # No FP16 key begins with 100000 or 011111: these are below and above all.
            beyond = Cat(again.replicate(5), ~again)
            m.d.comb += sorter.keys[lane].eq(Cat(key[:10], Mux(there, key[10:], beyond)))
        with m.If(taken & self.i.payload.last):
            m.d.sync += closing.eq(1)
        flags: Value = Cat(self.i.valid & ~closing & ~again, taken, taken & self.i.payload.last)
        for depth in range(sorter.latency):
            following = Signal(3, name=f"s{depth}_flags")
            m.d.sync += following.eq(flags)
            flags = following
        return flags
