"""Accumulator of integers."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value, signed

from hw.arith.wires import wire
from hw.stream.component import Component, In, Out

RIPPLE_BITS = 19  # of longer totals the upper half is added one cycle after the lower


def accumulator_cycles(total_bits: int) -> int:
    """Return how much later a total comes than its last term."""
    return int(total_bits > RIPPLE_BITS)


class IntegerAccumulator(Component):
    """Add the sums of a tile's beats.

    Parameters
    ----------
    term_bits, total_bits : int
        Widths, with sign.

    Timing
    ------
    Latency : ``latency`` cycles from ``term``: :func:`accumulator_cycles`.
    Rate : one beat per cycle.
    Through paths : ``term`` to ``total``, combinational, where the latency is 0.
    Reset : drops a term that is announced; ``first`` starts a sum.
    """

    term = In(lambda c: signed(c.term_bits))
    """Sum of a beat."""
    valid = In(1)
    """Whether there will be one in the next cycle."""
    first = In(1)
    """Whether that is its tile's first."""
    total = Out(lambda c: signed(c.total_bits))
    """Sum of the tile's beats up to this term."""

    def __init__(self, term_bits: int, total_bits: int) -> None:
        self.term_bits, self.total_bits = term_bits, total_bits
        self.latency = accumulator_cycles(total_bits)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        term = Signal(signed(self.total_bits))
        m.d.comb += term.eq(self.term)
        begin = wire(m, self.valid & self.first, "begin")
        valid = _later(m, self.valid, "valid")
        if not self.latency:
            m.d.comb += self.total.eq(_accumulate(m, term, 0, begin, valid, "low"))
            return
        half = min(self.total_bits // 2, self.term_bits - 1)  # the upper half has its sign
        low = _accumulate(m, term[:half], 0, begin, valid, "low")
        # Sign bits are all the same: those beyond the term need no registers of their own.
        high = Signal(signed(self.total_bits - half))
        top = _later(m, self.term[half:], "top", reset_less=True)
        m.d.comb += high.eq(top.as_signed())
        later = _later(m, Cat(low[:half], low[half]), "later", reset_less=True)
        upper = _accumulate(
            m, high, later[half], _later(m, begin, "begun"), _later(m, valid, "again"), "high"
        )
        m.d.comb += self.total.eq(Cat(later[:half], upper[: len(high)]))


def _accumulate(
    m: Module, term: Value, carry: Any, begin: Value, valid: Value, name: str
) -> Signal:
    """Return what was kept plus a term, with the carry out, and keep it."""
    kept = Signal(len(term), name=f"{name}_kept", reset_less=True)
    total = wire(m, (kept + term.as_unsigned() + carry)[: len(term) + 1], f"{name}_total")
    # Cleared before a tile's first beat, and not with it: that keeps the longest path short.
    with m.If(begin):
        m.d.sync += kept.eq(0)
    with m.Elif(valid):
        m.d.sync += kept.eq(total)
    return total


def _later(m: Module, value: Value, name: str, *, reset_less: bool = False) -> Signal:
    held = Signal(len(value), name=name, reset_less=reset_less)
    m.d.sync += held.eq(value)
    return held
