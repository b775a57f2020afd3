"""Concat unit: one activation code and one weight code become the number of a bin."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.engine_spec import INDEX_BITS


class ConcatUnit(wiring.Component):
    """Put two codes side by side (paper: Concat Unit).

    Plain bins take no logic. Folded ones take one XOR: of the two signs only their product
    matters, and it stands in place of the weight's.

    Parameters
    ----------
    spec : CounterSpec
        Form of the bins.

    Ports
    -----
    activation : In(4)
        Code of the activation.
    weight : In(4)
        Code of the weight.
    row : Out(spec.row_bits)
        Upper part of the bin's number.
    column : Out(4)
        Lower part.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one pair per cycle.
    Through paths : both inputs to the outputs, combinational.
    Reset : no state.
    """

    activation: Signal
    weight: Signal
    row: Signal
    column: Signal

    def __init__(self, spec: CounterSpec) -> None:
        self.spec = spec
        ports = {
            "activation": In(INDEX_BITS),
            "weight": In(INDEX_BITS),
            "row": Out(spec.row_bits),
            "column": Out(INDEX_BITS),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        column = self.weight
        if self.spec.folded:
            column = Cat(self.weight[:-1], self.weight[-1] ^ self.activation[-1])
        m.d.comb += [self.row.eq(self.activation), self.column.eq(column)]
        return m
