"""Rows of a stored token, and then of what passes left of it."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.utils import exact_log2

from hw.stream.component import In, InStream, Out, Sized
from hw.topk.baseline.lane_banks import LaneBanks, bank_rows
from hw.topk.baseline.token_rows import TokenRows
from hw.topk.orizuru.orizuru_spec import OrizuruSpec


class RowReader(Sized[OrizuruSpec]):
    """Read the values that are left of a token row by row, and keep some of them.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``read`` to ``here``.
    Rate : a row per cycle.
    Through paths : none.
    Reset : drops the token.
    """

    LATENCY = 1

    i = InStream(lambda c: c.spec.beat)
    """Beats of the token."""
    clear = In(1)
    """Drops the token. Only when it is complete."""
    some = Out(1)
    """Whether a row of it has come."""
    invert = In(1)
    """Positions of ``entries`` are inverted."""
    whole = In(1)
    """Reads the whole token, not what was kept of it."""
    read = In(1)
    """Reads a row: the next one, or what is said here. Waits for it while the token comes in."""
    first = In(1)
    """Goes to the first one."""
    middle = In(1)
    """Goes halfway through the token, as far as it has come. Reading does not go on from there."""
    here = Out(1)
    """Whether there is a row, of the cycle before."""
    number = Out(lambda c: range(bank_rows(c.spec)))
    """Its number."""
    entries = Out(lambda c: data.ArrayLayout(c.spec.entry, c.spec.values_per_beat))
    """Its values."""
    valid = Out(lambda c: c.spec.values_per_beat)
    """Which lanes have one. Past the last row comes one that has none."""
    keep = In(lambda c: c.spec.values_per_beat)
    """Which of them to keep."""
    close = In(1)
    """No more are kept."""
    begin = In(1)
    """Forgets what was kept, after ``close``."""
    accept = In(1)
    """With ``begin``: what was kept is read from now on."""

    def build(self, m: Module) -> None:  # noqa: D102
        lanes = self.spec.values_per_beat
        m.submodules.token = token = TokenRows(self.spec)
        m.submodules.banks = banks = LaneBanks(self.spec)
        wiring.connect(m, wiring.flipped(self.i), token.i)

        row = Signal(range(2 * bank_rows(self.spec)))
        address = Signal.like(row)
        read, some = Signal(), Signal()  # some: the row that is here is not past the last
        with m.If(self.first):
            m.d.comb += address.eq(0)
        with m.Elif(self.middle):
            m.d.comb += address.eq(token.count >> 1)
        with m.Else():
            m.d.comb += address.eq(row)
        end = address == token.count
        m.d.comb += [
            token.row.eq(address),
            banks.row.eq(address),
            token.clear.eq(self.clear),
            self.some.eq(token.count != 0),
            read.eq(self.read & ~(self.whole & end & ~token.complete)),
        ]
        m.d.sync += [
            row.eq(Mux(self.first, read, Mux(read, row + 1, row))),
            self.here.eq(read),
            self.number.eq(address),
            some.eq(read & ~Mux(self.whole, end, address[-1])),
        ]

        half = Signal()
        m.d.sync += half.eq(half ^ self.accept)
        m.d.comb += [
            banks.half.eq(half),
            banks.take.eq(self.keep),
            banks.entries.eq(self.entries),
            banks.close.eq(self.close),
            banks.clear.eq(self.begin),
        ]
        alive, there = Signal(lanes), Signal(lanes)  # lanes whose end has not come yet
        ends = Cat(word.end for word in banks.words)
        m.d.comb += there.eq(Mux(self.whole, token.valid, alive & ~ends))
        m.d.comb += self.valid.eq(some.replicate(lanes) & there)
        with m.If(self.first):
            m.d.sync += alive.eq(-1)
        with m.Elif(self.here):
            m.d.sync += alive.eq(alive & ~ends)

        for lane in range(lanes):
            entry = self.entries[lane]
            position = Cat(Const(lane, exact_log2(lanes)), self.number)
            flips = self.invert.replicate(self.spec.position_bits)
            stored = banks.words[lane].entry
            m.d.comb += [
                entry.key.eq(Mux(self.whole, token.keys[lane], stored.key)),
                entry.position.eq(Mux(self.whole, position ^ flips, stored.position)),
            ]
