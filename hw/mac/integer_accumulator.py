"""Accumulator of integers."""

import itertools

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.common.wires import wire

RIPPLE_BITS = 20  # longer totals are added in sections
SECTIONS = 3


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
        Whether there will be one in the next cycle.
    first : In(1)
        Whether that is its tile's first.
    total : Out(signed)
        Sum of the tile's beats up to this term.

    Timing
    ------
    Latency : ``LATENCY`` cycles from ``term``.
    Rate : one beat per cycle.
    Through paths : ``term`` to ``total``, combinational.
    Reset : drops a term that is announced; ``first`` starts a sum.
    """

    LATENCY = 0

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
        kept = Signal(signed(self.total_bits), reset_less=True)
        valid = Signal()
        m.d.sync += valid.eq(self.valid)
        term = Signal(signed(self.total_bits))
        m.d.comb += term.eq(self.term)
        m.d.comb += self.total.eq(self._add(m, kept, term))
        # Cleared before a tile's first beat, and not with it: that keeps the longest path short.
        with m.If(self.valid & self.first):
            m.d.sync += kept.eq(0)
        with m.Elif(valid):
            m.d.sync += kept.eq(self.total)
        return m

    def _add(self, m: Module, kept: Signal, term: Signal) -> Value:
        """Add section by section; all but the first are added for either carry at once."""
        sections = 1 if self.total_bits <= RIPPLE_BITS else SECTIONS
        bounds = [self.total_bits * n // sections for n in range(sections + 1)]
        parts, carry = [], None
        for low, high in itertools.pairwise(bounds):
            pair = kept[low:high].as_unsigned() + term[low:high].as_unsigned()
            if carry is None:
                added = wire(m, pair, "added0")
            else:
                either = [wire(m, (pair + n)[: high - low + 1], f"with{n}_{low}") for n in (0, 1)]
                added = wire(m, Mux(carry, either[1], either[0]), f"added{low}")
            carry = added[-1]
            parts.append(added[:-1])
        return Cat(parts)
