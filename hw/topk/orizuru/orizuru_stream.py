"""Streaming Orizuru: a token's outliers, found while its activations come in."""

from dataclasses import replace

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data
from amaranth.lib.wiring import connect, flipped
from amaranth.utils import exact_log2

from hw.arith.bits import choose
from hw.formats import KEY, require_power_of_two
from hw.topk.orizuru.entry_merge import EntryMerge
from hw.topk.orizuru.heap_list import HeapList
from hw.topk.orizuru.orizuru_spec import OrizuruSpec
from hw.topk.orizuru.outlier_side import OutlierSide
from hw.topk.outlier_engine import OutlierEngine


class OrizuruStream(OutlierEngine):
    """Find the k_top largest and the k_top smallest activations of each token.

    Bit-exact with :func:`golden.exact.outliers.select_outliers`: of equals the lower position comes
    first, on both sides. The paper's Orizuru is a pair of tournament trees over all values; this
    one keeps two sorted lists and holds a beat back only while it has more candidates for them
    than can leave it.

    Parameters
    ----------
    spec : OrizuruSpec
        Activations per beat, the longest token and the longest lists.
    lists : int
        Sorted lists on each side, a power of two; each serves a part of the lanes, and the outputs
        are merged. More lists take fewer cycles.
    queue : int
        Candidates that may queue up for a list, 2 to 8.
    sections : int
        Parts of a list's lanes, a power of two: two candidates leave a beat in one cycle if they
        stand in different ones. More sections take fewer cycles.
    reverse : bool
        Whether each side's outliers leave in reverse, which takes fewer gates; with one list only.
    heap : bool
        Whether heaps in memories take the lists' place: for many outliers. In reverse only.

    Timing
    ------
    Latency : ``latency`` cycles from the transfer of the last beat to ``valid`` on both outputs,
        when it has no candidates and none queue; two more with one, and one for each further.
    Rate : a beat takes one cycle, or one for every two of its candidates, or, while candidates
        queue, for each (in a heap three). Few beats have any: activations in random order take
        about beats + 4 k_top cycles. In the worst order, rising or falling, all are candidates,
        and still no token takes more than ``most_cycles`` from its first beat to ``valid``. After
        a token no beat is taken until its outliers have been.
    Through paths : none.
    Reset : drops the token under way.
    """

    def __init__(
        self,
        spec: OrizuruSpec,
        lists: int = 1,
        queue: int = 2,
        sections: int = 1,
        reverse: bool = False,
        heap: bool = False,
    ) -> None:
        self.lists, self.queue, self.sections, self.reverse = lists, queue, sections, reverse
        self.heap = heap
        require_power_of_two("lists", lists, low=1, high=spec.values_per_beat)
        if reverse and lists > 1:
            raise ValueError("reverse takes one list: several cannot be merged from their ends")
        if heap and not reverse:
            raise ValueError("heap takes reverse: a heap sends those furthest out last")
        self.latency = 2 + exact_log2(lists)
        super().__init__(spec)

    @property
    def most_cycles(self) -> int:
        """Cycles from the transfer of a token's first beat, the others ready, to ``valid``."""
        cycles = HeapList.PERIOD if self.heap else 1
        held = cycles * self.spec.values_per_beat // self.lists
        return held * (self.spec.beats_max + 1) + self.latency + cycles * self.queue

    @property
    def comparators(self) -> int:
        """Comparators of two keys: lanes with thresholds, and those that keep the lists."""
        depth = 3 * (self.spec.outliers_max.bit_length() - 1) + 1
        kept = depth if self.heap else self.lists * self.spec.outliers_max
        return 2 * (self.spec.values_per_beat + kept + self.lists - 1)

    def build(self, m: Module) -> None:  # noqa: D102
        lanes = self.spec.values_per_beat
        keys, following = (
            Signal(data.ArrayLayout(KEY, lanes), name=name, reset_less=True)
            for name in ("keys", "following")
        )
        number = Signal(range(max(self.spec.beats_max, 2)))
        closing = Signal(init=1)  # the beat at hand, if any, is its token's last
        drain, clear, load, idle = Signal(), Signal(), Signal(), Signal(init=1)

        sides: list[list[OutlierSide]] = []
        ends: list[OutlierSide | EntryMerge] = []
        for name in ("largest", "smallest"):
            side = self._make_side(m, name)
            for n, part in enumerate(side):
                self._feed(m, part, n, keys, following)
                m.d.comb += [
                    part.number.eq(Cat(Const(n, exact_log2(self.lists)), number)),
                    part.load.eq(load),
                    part.drain.eq(drain),
                    part.clear.eq(clear),
                ]
            end = self._merge(m, name, side, clear)
            connect(m, end.o, flipped(getattr(self, f"{name}_o")))
            sides.append(side)
            ends.append(end)

        # A lane without candidates may change at once: nobody looks at its key any more.
        held = Cat(a.held | b.held for a, b in zip(*sides, strict=True))
        for n, new in enumerate(self.i.payload.keys):
            m.d.comb += following[n].eq(choose((held[n], keys[n]), (~held[n], new)))

        done, settled = Signal(), Signal()
        parts = sides[0] + sides[1]
        m.d.comb += [
            done.eq(Cat(part.done for part in parts).all()),
            settled.eq(Cat(part.settled for part in parts).all()),
            clear.eq(drain & ends[0].drained & ends[1].drained),
            self.i.ready.eq(done & (~closing | idle)),
            load.eq(self.i.valid & self.i.ready),
        ]
        m.d.sync += [keys.eq(following), drain.eq(closing & ~idle & settled & ~clear)]
        with m.If(load):
            m.d.sync += [
                number.eq(Mux(closing, 0, number + 1)),
                closing.eq(self.i.payload.last),
                idle.eq(0),
            ]
        with m.Elif(clear):
            m.d.sync += idle.eq(1)

    def _make_side(self, m: Module, name: str) -> list[OutlierSide]:
        """Return the parts of a side; each sees a share of the lanes as beats of its own."""
        spec = replace(self.spec, values_per_beat=self.spec.values_per_beat // self.lists)
        largest = name == "largest"
        parts = [
            OutlierSide(spec, largest, self.queue, self.sections, self.reverse, self.heap)
            for _ in range(self.lists)
        ]
        for n, part in enumerate(parts):
            self.put(m, f"{name}{n}", part, k_top=self.k_top)
        return parts

    def _feed(
        self, m: Module, part: OutlierSide, n: int, keys: data.View, following: data.View
    ) -> None:
        """Give a part its lanes."""
        width = part.spec.values_per_beat
        m.d.comb += part.mask.eq(self.i.payload.mask[n * width : (n + 1) * width])
        for lane in range(width):
            m.d.comb += [
                part.keys[lane].eq(keys[n * width + lane]),
                part.following[lane].eq(following[n * width + lane]),
            ]

    def _merge(
        self, m: Module, name: str, parts: list[OutlierSide], clear: Signal
    ) -> OutlierSide | EntryMerge:
        """Merge the lists of a side in pairs; return who holds the result."""
        ends: list[OutlierSide | EntryMerge] = list(parts)
        while len(ends) > 1:
            merged: list[OutlierSide | EntryMerge] = []
            for a, b in zip(ends[::2], ends[1::2], strict=True):
                merge = self.put(
                    m,
                    f"{name}_merge{len(ends)}_{len(merged)}",
                    EntryMerge(self.spec, name == "largest"),
                )
                for port, end, drained in (
                    (merge.a, a, merge.a_drained),
                    (merge.b, b, merge.b_drained),
                ):
                    m.d.comb += [
                        port.payload.eq(end.o.payload),
                        port.valid.eq(end.o.valid),
                        end.o.ready.eq(port.ready),
                        drained.eq(end.drained),
                    ]
                m.d.comb += [merge.k_top.eq(self.k_top), merge.clear.eq(clear)]
                merged.append(merge)
            ends = merged
        return ends[0]
