"""Bit counter: how many of a few bits are set."""

from amaranth.hdl import Module

from hw.arith.columns import compress, rows
from hw.stream.component import Component, In, Out


class BitCounter(Component):
    """Count ones with full adders alone.

    Parameters
    ----------
    bits : int
        How many: one less than a power of two, so that no half adder is needed.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one count per cycle.
    Through paths : ``i`` to ``count``, combinational.
    Reset : no state.
    """

    i = In(lambda c: c.bits)
    """The bits."""
    count = Out(lambda c: range(c.bits + 1))
    """How many of them are ones."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        total, _ = rows(compress(m, [list(self.i)], "ones"))
        m.d.comb += self.count.eq(total)
