"""Sums of neighbours that come one after the other."""

from amaranth.hdl import Cat, Module, Signal

from hw.fp16.fp16_add import Fp16Add
from hw.stream.component import Component, In, Out


class Fp16PairAdd(Component):
    """Add the first number and the second, the third and the fourth, and so on.

    A level of a tree in time: as the sum feeds back nowhere, the adder may take as many stages as
    it likes, where an accumulator would have to interleave as many partial sums.

    Timing
    ------
    Latency : ``LATENCY`` cycles from the second number of a pair to the sum.
    Rate : one number per cycle.
    Through paths : none.
    Reset : drops the sums under way; the next number is the first of a pair.
    """

    LATENCY = Fp16Add.STAGES

    i = In(16)
    """FP16 pattern."""
    i_en = In(1)
    """Strobe: ``i`` is the next number."""
    o = Out(16)
    """FP16 pattern of a sum, bit-exact with :func:`golden.exact.fp16_arithmetic.add`."""
    o_en = Out(1)
    """Strobe: ``o`` is the next sum."""

    def build(self, m: Module) -> None:  # noqa: D102
        adder = self.put(m, "adder", Fp16Add(pipelined=True))
        first, second = Signal(16, reset_less=True), Signal()
        under_way = Signal(self.LATENCY)
        with m.If(self.i_en):
            m.d.sync += [first.eq(self.i), second.eq(~second)]
        m.d.sync += under_way.eq(Cat(self.i_en & second, under_way))
        m.d.comb += [
            adder.a.eq(first),
            adder.b.eq(self.i),
            self.o.eq(adder.o),
            self.o_en.eq(under_way[-1]),
        ]
