"""Random pivots for quick-select."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.stream.component import In, Out, Sized
from hw.topk.orizuru.orizuru_spec import OrizuruSpec

LFSR_BITS, LFSR_TAPS = 16, 0xB400


class PivotSampler(Sized[OrizuruSpec]):
    """Draw the next pivot from the rows of a pass: one of what is kept, one of what is not.

    A linear-feedback shift register that never stops names a lane of each row to look at. What it
    sees in row n takes the place of what it saw before with a chance of about 1 / n, so all rows
    have about the same; for what is kept, n is that in rows of such values.

    Timing
    ------
    Latency : 1 cycle to ``sample``, 2 to ``kept`` and ``dropped``.
    Rate : a row per cycle.
    Through paths : none.
    Reset : begins the same sequence again.
    """

    entries = In(lambda c: data.ArrayLayout(c.spec.entry, c.spec.values_per_beat))
    """A row."""
    valid = In(lambda c: c.spec.values_per_beat)
    """Which lanes have one."""
    keep = In(lambda c: c.spec.values_per_beat)
    """Which are kept."""
    row = In(lambda c: range(max(c.spec.beats_max, 2)))
    """The row's number, a cycle later."""
    kept_row = In(lambda c: range(max(c.spec.beats_max, 2)))
    """Number of the row that would be next, were only those that are kept there."""
    clear = In(1)
    """Begins another pass."""
    choose = In(1)
    """Looks at the lane ``choice`` instead."""
    choice = In(lambda c: c.spec.values_per_beat)
    """One bit is set, or none; none without ``choose``."""
    sample = Out(lambda c: c.spec.entry)
    """What was looked at in the cycle before."""
    sampled = Out(1)
    """Whether there was anything."""
    kept = Out(lambda c: c.spec.entry)
    """One that was kept."""
    kept_any = Out(1)
    """Whether there is one."""
    dropped = Out(lambda c: c.spec.entry)
    """One that was not."""
    dropped_any = Out(1)
    """Whether there is one."""

    def build(self, m: Module) -> None:  # noqa: D102
        lanes = self.spec.values_per_beat
        shift = Signal(LFSR_BITS, init=1)
        m.d.sync += shift.eq((shift >> 1) ^ Mux(shift[0], LFSR_TAPS, 0))

        pick = Signal(lanes)
        drawn = (1 << shift[: exact_log2(lanes)])[:lanes]
        m.d.comb += pick.eq(self.choice | Mux(self.choose, 0, drawn))
        seen = [
            self.entries[lane].as_value() & pick[lane].replicate(self.spec.entry.size)
            for lane in range(lanes)
        ]
        hit, was_kept, was_dropped = Signal(), Signal(), Signal()
        m.d.comb += hit.eq((pick & self.valid).any())
        m.d.sync += [
            self.sampled.eq(hit),
            was_kept.eq((pick & self.valid & self.keep).any()),
            was_dropped.eq((pick & self.valid & ~self.keep).any()),
        ]
        with m.If(hit):
            m.d.sync += self.sample.eq(reduce(or_, seen))

        for was, entry, there, row in (
            (was_kept, self.kept, self.kept_any, self.kept_row),
            (was_dropped, self.dropped, self.dropped_any, self.row),
        ):
            # Ones from the row's leading one on: a chance of 1, 1/2, 1/4, 1/4, 1/8, and so on. With
            # less than 1 for the second, two values cannot take turns for ever.
            ones = Cat(row[n:].any() for n in range(len(row)))
            lucky = ~(ones & shift[-len(row) :]).any()
            with m.If(was & (lucky | ~there)):
                m.d.sync += [entry.eq(self.sample), there.eq(1)]
            with m.If(self.clear):
                m.d.sync += there.eq(0)
