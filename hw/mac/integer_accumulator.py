"""Accumulator of integers."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.common.wires import wire

# Of longer totals the upper two thirds are added for either carry at once.
RIPPLE_BITS = 20


class IntegerAccumulator(wiring.Component):
    """Add the sums of a tile's beats.

    Parameters
    ----------
    term_bits, total_bits : int
        Widths, with sign.

    Ports
    -----
    term : In(signed)
        Sum of a beat.
    valid : In(1)
        Whether there is one.
    first : In(1)
        Whether it is its tile's first.
    total : Out(signed)
        Sum of the tile's beats so far.

    Timing
    ------
    Latency : ``LATENCY`` cycles.
    Rate : one beat per cycle.
    Through paths : none.
    Reset : none needed; ``first`` starts a sum.
    """

    LATENCY = 1

    term: Signal
    valid: Signal
    first: Signal
    total: Signal

    def __init__(self, term_bits: int, total_bits: int) -> None:
        self.term_bits, self.total_bits = term_bits, total_bits
        ports = {
            "term": In(signed(term_bits)),
            "valid": In(1),
            "first": In(1),
            "total": Out(signed(total_bits)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        total = Signal(signed(self.total_bits), reset_less=True)
        kept = wire(m, Mux(self.first, 0, total), "kept")
        half = self.total_bits if self.total_bits <= RIPPLE_BITS else self.total_bits // 3
        term = Signal(signed(self.total_bits))
        m.d.comb += term.eq(self.term)
        low = wire(m, kept[:half].as_unsigned() + term[:half].as_unsigned(), "low")
        high = [
            wire(m, (kept[half:] + term[half:] + carry)[: self.total_bits - half], f"high{carry}")
            for carry in range(2)
        ]
        with m.If(self.valid):
            m.d.sync += total.eq(Cat(low[:half], Mux(low[half], high[1], high[0])))
        m.d.comb += self.total.eq(total)
        return m
