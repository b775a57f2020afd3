"""Accumulators of FP16 numbers that share one pipelined adder."""

from amaranth.hdl import Const, Module, Mux, Signal

from golden.exact.mac import MINUS_ZERO
from hw.fp16.fp16_add import Fp16Add
from hw.stream.component import Component, In, Out


class Fp16Accumulator(Component):
    """Add the sums of tiles that take turns.

    A total goes round through the adder, so there are as many as it has stages, and each comes
    by every so many cycles. Where there is nothing to add -0 is, which changes nothing.

    Timing
    ------
    Latency : ``LATENCY`` cycles from ``term``.
    Rate : one beat per cycle, of ``LATENCY`` tiles in turn.
    Through paths : none.
    Reset : drops a term that is announced; ``first`` starts a sum.
    """

    LATENCY = Fp16Add.STAGES

    term = In(16)
    """FP16 pattern of a beat's sum, for the total that comes by."""
    valid = In(1)
    """Whether there will be one in the next cycle."""
    first = In(1)
    """Whether that is its tile's first."""
    total = Out(16)
    """The total that comes by."""

    def build(self, m: Module) -> None:  # noqa: D102
        adder = self.put(m, "adder", Fp16Add(pipelined=True))
        # Known a cycle early, so that every accumulator has its own registers of them.
        valid, begin = Signal(), Signal()
        m.d.sync += [valid.eq(self.valid), begin.eq(self.valid & self.first)]
        nothing = Const(MINUS_ZERO, 16)
        m.d.comb += [
            adder.a.eq(Mux(begin, nothing, adder.o)),
            adder.b.eq(Mux(valid, self.term, nothing)),
            self.total.eq(adder.o),
        ]
