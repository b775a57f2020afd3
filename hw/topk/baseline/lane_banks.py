"""Working memory of quick-select: each lane closes up what it keeps."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data
from amaranth.utils import ceil_log2

from hw.stream.component import In, Out, Sized
from hw.stream.word_memory import WordMemory
from hw.topk.orizuru.orizuru_spec import OrizuruSpec


def bank_rows(spec: OrizuruSpec) -> int:
    """Return the rows of a bank, a power of two."""
    return 1 << ceil_log2(max(spec.beats_max, 2))


class LaneBanks(Sized[OrizuruSpec]):
    """Hold two sets of entries: one is read row by row while the other is written.

    Each lane has a bank of its own and puts what it takes behind what it took before. So no
    network moves entries from lane to lane, but a set has as many rows as its fullest lane.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``row`` to ``words``.
    Rate : a row read and a row written per cycle.
    Through paths : none.
    Reset : empties the set that is written.
    """

    LATENCY = 1

    half = In(1)
    """Which set is written; the other one is read."""
    clear = In(1)
    """Empties the set that is written. Without ``take``."""
    take = In(lambda c: c.spec.values_per_beat)
    """Lanes that take their entry."""
    entries = In(lambda c: data.ArrayLayout(c.spec.entry, c.spec.values_per_beat))
    """By lane."""
    close = In(1)
    """The set is complete. Without ``take``, and not after another ``close``."""
    row = In(lambda c: range(c.rows))
    """Row to read."""
    words = Out(lambda c: data.ArrayLayout(c.word, c.spec.values_per_beat))
    """Its entries; ``end`` in the row after a lane's last one, unless that is the last row."""

    def __init__(self, spec: OrizuruSpec) -> None:
        self.rows = bank_rows(spec)
        self.word = data.StructLayout({"entry": spec.entry, "end": 1})
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        for lane in range(self.spec.values_per_beat):
            bank = WordMemory(self.word.size, 2 * self.rows).put_in(self, m, f"bank{lane}")
            place = Signal(range(self.rows + 1), name=f"place{lane}")
            m.d.comb += [
                bank.write_address.eq(Cat(place[:-1], self.half)),
                bank.write_data.eq(Cat(self.entries[lane], self.close)),
                bank.write_en.eq(self.take[lane] | (self.close & ~place[-1])),
                bank.read_en.eq(1),
                bank.read_address.eq(Cat(self.row, ~self.half)),
                self.words[lane].eq(bank.read_data),
            ]
            with m.If(self.take[lane]):
                m.d.sync += place.eq(place + 1)
            with m.Elif(self.clear):
                m.d.sync += place.eq(0)
