"""Concat unit: one activation code and one weight code become the number of a bin."""

from amaranth.hdl import Cat, Module

from hw.formats import INDEX_BITS
from hw.linear.counter.counter_spec import CounterSpec
from hw.stream.component import In, Out, Sized


class ConcatUnit(Sized[CounterSpec]):
    """Put two codes side by side (paper: Concat Unit).

    Plain bins take no logic. Folded ones take one XOR: of the two signs only their product
    matters, and it stands in place of the weight's.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one pair per cycle.
    Through paths : both inputs to the outputs, combinational.
    Reset : no state.
    """

    activation = In(INDEX_BITS)
    """Code of the activation."""
    weight = In(INDEX_BITS)
    """Code of the weight."""
    row = Out(lambda c: c.spec.row_bits)
    """Upper part of the bin's number."""
    column = Out(INDEX_BITS)
    """Lower part."""

    def build(self, m: Module) -> None:  # noqa: D102
        column = self.weight
        if self.spec.folded:
            column = Cat(self.weight[:-1], self.weight[-1] ^ self.activation[-1])
        m.d.comb += [self.row.eq(self.activation), self.column.eq(column)]
