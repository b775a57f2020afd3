"""Count tree: the counts of a channel's bins times their products, summed."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed

from hw.arith.columns import Columns, compress, register, rows
from hw.linear.counter.counter_spec import CounterSpec
from hw.stream.component import In, Out, Sized

# Full adders behind one another before the first register.
LEVELS = 5


class CountTree(Sized[CounterSpec]):
    """Multiply a slice of bins per cycle with their products, and add up all slices of a channel.

    The bits of all lanes' partial products make one tree. Entries come with 2**magnitude_bits
    added, so that none is negative: as the counts of a channel add up to its inputs, that adds
    a number known beforehand, which ``start`` takes away again.

    Timing
    ------
    Latency : ``LATENCY`` cycles from a slice to the sum that it is in.
    Rate : one slice per cycle.
    Through paths : none.
    Reset : none needed; ``first`` starts a sum.
    """

    LATENCY = 4

    counts = In(lambda c: c.spec.count_bits).array(lambda c: c.spec.tree_lanes)
    """Counts of a slice of bins."""
    entries = In(lambda c: c.spec.entry_bits).array(lambda c: c.spec.tree_lanes)
    """Their products, 2**magnitude_bits more than they are."""
    first = In(1)
    """This slice is a channel's first. The others follow cycle by cycle."""
    start = In(lambda c: signed(c.spec.main_bits))
    """What a channel's sum begins with: -K * 2**magnitude_bits. Steady."""
    sum = Out(lambda c: signed(c.spec.main_bits))
    """Sum over the slices since ``first``."""

    def build(self, m: Module) -> None:  # noqa: D102
        bits = self.spec.main_bits
        first = Signal(2)
        m.d.sync += first.eq(Cat(self.first, first))
        # 1: products, and a part of the tree. 2: its rest. 3: added to the slices before, still
        # as two numbers. 4: one number.
        fewer = register(
            m, compress(m, self._products(), "early", levels=LEVELS, width=bits), "adding"
        )
        two = register(m, compress(m, fewer, "late", width=bits), "slice")
        low, high = (Signal(bits, name=name, reset_less=True) for name in ("low", "high"))
        total: Columns = [
            [*pair, *new]
            for *pair, new in zip(
                Mux(first[-1], self.start.as_unsigned(), low),
                Mux(first[-1], 0, high),
                two,
                strict=True,
            )
        ]
        a, b = rows(compress(m, total, "all", width=bits))
        m.d.sync += [low.eq(a), high.eq(b)]
        whole = Signal(bits, reset_less=True)
        m.d.sync += whole.eq(low + high)
        m.d.comb += self.sum.eq(whole)

    def _products(self) -> Columns:
        """Return the bits of every lane's product, by weight."""
        spec = self.spec
        columns: Columns = [[] for _ in range(spec.count_bits + spec.entry_bits - 1)]
        for n in range(spec.tree_lanes):
            for place, bit in enumerate(self.entries[n]):
                partial = self.counts[n] & bit.replicate(spec.count_bits)
                for weight, term in enumerate(partial, place):
                    columns[weight].append(term)
        return columns
