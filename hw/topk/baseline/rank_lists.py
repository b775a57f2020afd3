"""The best of many sorted chunks: a list for each rank within a chunk."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data

from hw.stream.component import In, Out, OutStream, Sized
from hw.topk.orizuru.orizuru_spec import OrizuruSpec

# Less than any FP16 key, and than the complement of any.
NO_KEY = -(1 << 15)


def list_lengths(spec: OrizuruSpec) -> list[int]:
    """Return by rank how many keys of that rank in their chunks can be wanted."""
    most = spec.outliers_max
    return [most // (rank + 1) for rank in range(min(spec.values_per_beat, most))]


def flush_cycles(spec: OrizuruSpec) -> int:
    """Return the cycles that it takes to move all of them to the first list."""
    return 1 + sum(list_lengths(spec)[1:])


class RankLists(Sized[OrizuruSpec]):
    """Keep the largest keys of a token that comes in chunks sorted in descending order.

    Of the keys that stand at rank r in their chunks no more than ``outliers_max / (r + 1)`` can
    be wanted, as r larger ones come with each. So each rank has a list of that length, in which
    keys stay sorted by insertion. In the end all other lists are emptied into that of rank 0.

    Timing
    ------
    Latency : 0 cycles from ``drain`` to ``o.valid``.
    Rate : one chunk per cycle; one entry sent per cycle while ``o.ready`` is high.
    Through paths : none.
    Reset : nothing is known of what the lists hold: flush and drain them with ``k_top`` 0.
    """

    k_top = In(lambda c: range(c.spec.outliers_max + 1))
    """Entries to send. Steady while a token is under way."""
    chunk = In(lambda c: data.ArrayLayout(c.spec.entry, len(c.lengths)))
    """Sorted by key in descending order, of equals the lower position first. One below -31744,
    which no FP16 key is, stands for none.
    """
    load = In(1)
    """Takes ``chunk``."""
    flush = In(1)
    """Moves one entry to the first list: high for ``flush_cycles`` from the cycle after the last
    ``load`` on.
    """
    drain = In(1)
    """After that: sends the entries; then ``drained`` rises. High until then."""
    drained = Out(1)
    """Whether all are sent and the lists are empty."""
    o = OutStream(lambda c: c.spec.entry)
    """The largest key first, of equals the lower position."""

    def __init__(self, spec: OrizuruSpec) -> None:
        self.lengths = list_lengths(spec)
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        lists = [
            [
                Signal(self.spec.entry, name=f"rank{rank}_{n}", reset_less=True)
                for n in range(length)
            ]
            for rank, length in enumerate(self.lengths)
        ]
        nothing = self.spec.entry.const({"key": NO_KEY, "position": 0})
        # While entries move to the first list, each other one takes what leaves the one after it.
        coming = [held[-1] for held in lists[1:]] + [nothing]
        offers = []
        for rank, after in enumerate(coming):
            offer = Signal(self.spec.entry, name=f"offer{rank}")
            m.d.comb += offer.eq(Mux(self.flush, after, self.chunk[rank]))
            offers.append(offer)

        for rank, held in enumerate(lists[1:], 1):
            larger = Cat(self.chunk[rank].key > entry.key for entry in held)
            flush, load = (flag.replicate(len(held)) for flag in (self.flush, self.load))
            _insert(m, held, offers[rank], flush | (load & larger))
        # Of equal keys the earlier one is there already, but for those from other lists.
        offer, offered = Signal(self.spec.entry, reset_less=True), Signal()
        m.d.sync += [offer.eq(offers[0]), offered.eq(self.load | self.flush)]
        first = Cat(_order(offer) > _order(entry) for entry in lists[0])
        _insert(m, lists[0], offer, offered.replicate(len(first)) & first)
        self._send(m, lists[0], nothing)

    def _send(self, m: Module, held: list[data.View], nothing: data.Const) -> None:
        """Send the first list's head and move the others up, until nothing is left."""
        sent = Signal(range(self.spec.outliers_max + 1))
        wanted = Signal()
        m.d.comb += [
            wanted.eq(sent < self.k_top),
            self.drained.eq(self.drain & (sent == self.spec.outliers_max)),
            self.o.valid.eq(self.drain & wanted),
            self.o.payload.eq(held[0]),
        ]
        with m.If(~self.drain):
            m.d.sync += sent.eq(0)
        with m.Elif(~self.drained & (self.o.ready | ~wanted)):
            m.d.sync += sent.eq(sent + 1)
            after = [*held[1:], nothing]
            m.d.sync += [entry.eq(upper) for entry, upper in zip(held, after, strict=True)]


def _insert(m: Module, held: list[data.View], entry: data.View, before: Value) -> None:
    """Put an entry before those that ``before`` names: the last ones, as they are sorted."""
    for n, place in enumerate(held):
        with m.If(before[n]):
            m.d.sync += place.eq(Mux(before[n - 1], held[n - 1], entry) if n else entry)


def _order(entry: data.View) -> Value:
    """Return a number that is larger for a larger key, and for a lower position of equal keys."""
    return Cat(~entry.position, entry.key).as_signed()
