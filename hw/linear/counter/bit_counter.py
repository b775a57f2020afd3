"""Bit counter: how many of a few bits are set."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.arith.columns import compress, rows


class BitCounter(wiring.Component):
    """Count ones with full adders alone.

    Parameters
    ----------
    bits : int
        How many: one less than a power of two, so that no half adder is needed.

    Ports
    -----
    i : In(bits)
        The bits.
    count : Out(range(bits + 1))
        How many of them are ones.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one count per cycle.
    Through paths : ``i`` to ``count``, combinational.
    Reset : no state.
    """

    i: Signal
    count: Signal

    def __init__(self, bits: int) -> None:
        self.bits = bits
        super().__init__({"i": In(bits), "count": Out(range(bits + 1))})

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        total, _ = rows(compress(m, [list(self.i)], "ones"))
        m.d.comb += self.count.eq(total)
        return m
