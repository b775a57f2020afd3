"""Index counter: how often each bin's number occurs among a few pairs of codes."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import data

from hw.arith.wires import wire
from hw.formats import INDEX_BITS
from hw.linear.counter.bit_counter import BitCounter
from hw.linear.counter.counter_spec import CounterSpec
from hw.stream.component import In, Out, Sized


class IndexCounter(Sized[CounterSpec]):
    """Decode each pair to one of all bins, and count every bin's ones (paper: Index Counter).

    Both parts of a number are decoded apart, so a bin takes one gate for each pair. Its full
    adders come to one for each pair, less a few, here and in the merge together.

    Timing
    ------
    Latency : 0 cycles.
    Rate : ``counter_inputs`` pairs per cycle.
    Through paths : every input to ``counts``, combinational.
    Reset : no state.
    """

    rows = In(lambda c: data.ArrayLayout(c.spec.row_bits, c.spec.counter_inputs))
    """Upper part of each pair's bin, as from :class:`hw.linear.counter.concat_unit.ConcatUnit`."""
    columns = In(lambda c: data.ArrayLayout(INDEX_BITS, c.spec.counter_inputs))
    """Lower part."""
    used = In(lambda c: c.spec.counter_inputs)
    """Which pairs count."""
    counts = Out(lambda c: c.spec.part_bits).array(lambda c: c.spec.bins)
    """Every bin's count, in two parts."""

    def build(self, m: Module) -> None:  # noqa: D102
        inputs = self.spec.counter_inputs
        decoded = [
            (
                decode(m, self.rows[n], f"row{n}") & self.used[n].replicate(1 << len(self.rows[n])),
                decode(m, self.columns[n], f"column{n}"),
            )
            for n in range(inputs)
        ]
        decoded = [
            (wire(m, row, f"used_row{n}"), column) for n, (row, column) in enumerate(decoded)
        ]
        for number in range(self.spec.bins):
            i, j = number >> INDEX_BITS, number & ((1 << INDEX_BITS) - 1)
            hits = wire(m, Cat(row[i] & column[j] for row, column in decoded), f"hits{number}")
            counter = self.put(m, f"bin{number}", BitCounter(inputs - 1))
            m.d.comb += [counter.i.eq(hits), self.counts[number].eq(Cat(counter.count, hits[-1]))]


def decode(m: Module, code: Signal, name: str) -> Signal:
    """Return one bit for each value of ``code``, set for the value that it has."""
    values = range(1 << len(code))
    return wire(m, Cat(code == Const(value, len(code)) for value in values), name)
