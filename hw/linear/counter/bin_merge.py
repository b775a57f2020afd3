"""Bin merge: the counts of one bin in all counters, added to what the channel had before."""

from amaranth.hdl import Module, Mux, Signal

from hw.arith.columns import Columns, compress, register, rows
from hw.linear.counter.counter_spec import CounterSpec
from hw.stream.component import In, Out, Sized

# Full adders behind one another before the register; as many as the decoders leave time for.
LEVELS = 6


class BinMerge(Sized[CounterSpec]):
    """Add the counters' counts of one bin to its running count, and keep the last channel's.

    Two stages: the counts become fewer, then they and the running count become one number. The
    register stands behind the full adders that take most bits away.

    Timing
    ------
    Latency : ``LATENCY`` cycles from ``counts`` to ``kept``.
    Rate : one beat per cycle.
    Through paths : none.
    Reset : none needed; ``first`` starts a count, ``last`` replaces what was kept.
    """

    LATENCY = 2

    counts = In(lambda c: c.spec.part_bits).array(lambda c: c.spec.counters)
    """Of this bin in each counter."""
    first = In(1)
    """The counts of the cycle before were a channel's first ones."""
    last = In(1)
    """They were its last ones."""
    following = In(lambda c: c.spec.count_bits)
    """Kept count of the bin that goes into the tree next."""
    kept = Out(lambda c: c.spec.count_bits)
    """In the cycle after ``last`` the channel's count; then ``following``, a cycle later."""

    def build(self, m: Module) -> None:  # noqa: D102
        bits = self.spec.count_bits
        fewer = register(m, compress(m, self._columns(), "early", levels=LEVELS), "merging")
        # Only the lowest column keeps two bits: its second one is the last adder's carry in.
        number, carry = rows(compress(m, fewer, "late"))
        running = Signal(bits, reset_less=True)
        total = Signal(bits)
        before = Mux(self.first, 0, running)
        m.d.comb += total.eq(before + number + carry[0])
        kept = Signal(bits, reset_less=True)
        m.d.sync += [running.eq(total), kept.eq(Mux(self.last, total, self.following))]
        m.d.comb += self.kept.eq(kept)

    def _columns(self) -> Columns:
        columns: Columns = [
            [count[w] for count in self.counts] for w in range(self.spec.part_bits - 1)
        ]
        columns[0] += [count[-1] for count in self.counts]
        return columns
