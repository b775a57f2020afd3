"""Entry slices: the product table in the order of the bins, a slice at a time."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal

from hw.arith.wires import wire
from hw.formats import INDEX_BITS
from hw.linear.counter.counter_spec import CounterSpec
from hw.stream.component import In, Out, Sized

CODES = 1 << INDEX_BITS


class EntrySlices(Sized[CounterSpec]):
    """Read the product table for the trees of all lines (paper: LUT).

    A symmetric table is stored as its positive quarter; the signs come from the bin's number.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``step`` to ``entries``.
    Rate : one slice per cycle.
    Through paths : none.
    Reset : none needed.
    """

    LATENCY = 1

    product_table = In(lambda c: c.spec.product_table)
    """As for :class:`hw.linear.lookup.row_select.RowSelect`. Steady."""
    step = In(lambda c: range(max(c.spec.steps, 2)))
    """Which slice."""
    entries = Out(lambda c: c.spec.entry_bits).array(lambda c: c.spec.tree_lanes)
    """Its products, 2**magnitude_bits added."""

    def build(self, m: Module) -> None:  # noqa: D102
        lanes, steps = self.spec.tree_lanes, self.spec.steps
        for lane in range(lanes):
            numbers = range(lane, steps * lanes, lanes)
            entry = Array(self._stored(number) for number in numbers)[self.step]
            negative = Array(self._negative(number) for number in numbers)[self.step]
            chosen = Signal(self.spec.entry_bits, name=f"chosen{lane}", reset_less=True)
            m.d.sync += chosen.eq(self._offset(m, lane, entry, negative))
            m.d.comb += self.entries[lane].eq(chosen)

    def _stored(self, number: int):
        """Return the stored entry of a bin."""
        i, j = divmod(number, CODES)
        entries = self.spec.entries
        return self.product_table[i % entries][j % entries].as_unsigned()

    def _negative(self, number: int) -> int:
        """Return whether a bin's product is the stored one negated."""
        if not self.spec.numbers.symmetric:
            return 0
        i, j = divmod(number, CODES)
        return (i ^ j) >> (INDEX_BITS - 1)

    def _offset(self, m: Module, lane: int, entry, negative):
        """Return a stored entry's value, offset: two's complement with the sign inverted."""
        bits = self.spec.numbers.magnitude_bits
        entry = wire(m, entry, f"stored{lane}")
        if not self.spec.numbers.symmetric:
            return Cat(entry[:bits], ~entry[bits])
        return Mux(negative, (1 << bits) - entry, entry | (1 << bits))
