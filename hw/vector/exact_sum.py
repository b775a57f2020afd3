"""Sums of a vector's elements, exactly: what sums of squares and of powers have in common."""

from abc import ABC, abstractmethod
from itertools import pairwise
from typing import ClassVar

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import ceil_log2

from golden.exact.spec import require_int
from hw.arith.columns import compress, rows
from hw.arith.wires import wire
from hw.formats import require_power_of_two
from hw.stream.component import Component, InStream, OutStream

SECTION = 13  # through which a carry goes in a cycle
CARRY = 2  # bits of what three numbers and another's carry leave above a section


class ExactSum(Component, ABC):
    """Add up something of each element over the beats of a vector, in fixed point.

    Sections of the sum add up side by side. A section's carry goes into the next one a beat
    later; what is left of carries at the end is added section after section, while the next
    vector comes in.

    Parameters
    ----------
    lanes : int
        Elements of a beat: a power of two, 1 to 64.
    longest : int
        Elements of the longest vector: up to 2**20.

    Timing
    ------
    Latency : ``latency`` cycles from the transfer of the last beat to ``o.valid``.
    Rate : one beat per cycle; a vector every ``sections + 1`` cycles, or when ``o`` is taken.
    Through paths : none.
    Reset : drops the vector under way.
    """

    TERM_BITS: ClassVar[int]

    i = InStream(lambda c: c.beat)
    """Finite FP16 patterns; zeros where there is no element. ``last`` marks the last beat."""
    o = OutStream(lambda c: c.total_bits)
    """One sum per vector."""

    def __init__(self, lanes: int, longest: int) -> None:
        require_power_of_two("lanes", lanes, low=1, high=64)
        require_int("longest", longest, low=1, high=1 << 20)
        self.lanes, self.longest = lanes, longest
        self.beat = data.StructLayout({"lanes": data.ArrayLayout(16, lanes), "last": 1})
        self.total_bits = self.TERM_BITS + ceil_log2(longest)
        self.sections = -(-self.total_bits // SECTION)
        self.latency = 3 + self.sections
        super().__init__()

    @abstractmethod
    def prepare(self, m: Module, bits: Value, name: str) -> Value:
        """Return what the first stage makes of an element."""

    @abstractmethod
    def term(self, m: Module, prepared: Value, name: str) -> Value:
        """Return what the second stage makes of that: what is added."""

    def begin(self) -> list[Value]:
        """Return what the sum begins with, in sections."""
        return []

    def build(self, m: Module) -> None:  # noqa: D102
        valid, last, busy, advance = Signal(2), Signal(2), Signal(), Signal()
        m.d.comb += [advance.eq(~(valid[1] & last[1] & busy)), self.i.ready.eq(advance)]
        beat = self.i.payload
        held, terms = [], []
        for n in range(self.lanes):
            prepared = self.prepare(m, beat.lanes[n], f"s0_{n}")
            held.append(Signal.like(prepared, name=f"s1_{n}", reset_less=True))
            with m.If(advance):
                m.d.sync += held[n].eq(prepared)
            terms.append(wire(m, self.term(m, held[n], f"s1_{n}"), f"s1_term{n}"))
        columns = [[term[place] for term in terms] for place in range(self.TERM_BITS)]
        sums = [wire(m, row, "row") for row in rows(compress(m, columns, "beat"))]
        added = [Signal.like(row, name=f"s2_{n}", reset_less=True) for n, row in enumerate(sums)]
        with m.If(advance):
            m.d.sync += [valid.eq(Cat(self.i.valid, valid)), last.eq(Cat(beat.last, last))]
            m.d.sync += [held.eq(row) for held, row in zip(added, sums, strict=True)]
        following = self._accumulate(m, valid[1] & advance, last[1], added)
        m.d.comb += busy.eq(self._join(m, valid[1] & last[1] & ~busy, following))

    def _accumulate(self, m: Module, beat: Value, last: Value, rows: list[Signal]) -> list[Signal]:
        """Add beats to the sum; return it with the latest, carries above the sections."""
        totals = [Signal(SECTION, name=f"total{n}") for n in range(self.sections)]
        carries = [Signal(CARRY, name=f"carry{n}") for n in range(self.sections)]
        sums = [Signal(SECTION + CARRY, name=f"sum{n}") for n in range(self.sections)]
        under_way, anew = Signal(), Signal()
        m.d.comb += anew.eq(Mux(beat, last, ~under_way))
        with m.If(beat):
            m.d.sync += under_way.eq(~last)
        begin = [*self.begin(), *[0] * self.sections]
        for n in range(self.sections):
            parts = [row[n * SECTION : (n + 1) * SECTION] for row in rows]
            carry = carries[n - 1] if n else 0
            m.d.comb += sums[n].eq(totals[n] + parts[0] + parts[1] + carry)
            with m.If(anew):
                m.d.sync += [totals[n].eq(begin[n]), carries[n].eq(0)]
            with m.Elif(beat):
                m.d.sync += Cat(totals[n], carries[n]).eq(sums[n])
        return sums

    def _join(self, m: Module, complete: Value, sums: list[Signal]) -> Value:
        """Add the carries of a vector's sections, one a cycle; return whether that is under way."""
        left = Signal(range(self.sections + 1))
        waiting = [Signal(SECTION, name=f"section{n}") for n in range(self.sections)]
        above = [Signal(CARRY, name=f"above{n}") for n in range(self.sections)]
        carry, total = Signal(CARRY), Signal(SECTION + 1)
        m.d.comb += [
            total.eq(waiting[0] + carry),
            self.o.payload.eq(Cat(waiting)[: self.total_bits]),
        ]
        with m.If(complete):
            m.d.sync += [Cat(*pair).eq(s) for *pair, s in zip(waiting, above, sums, strict=True)]
            m.d.sync += [left.eq(self.sections), carry.eq(0)]
        with m.Elif(left != 0):
            m.d.sync += [held.eq(value) for held, value in pairwise([*waiting, total[:SECTION]])]
            m.d.sync += [held.eq(value) for held, value in pairwise(above)]
            m.d.sync += [carry.eq(above[0] + total[SECTION]), left.eq(left - 1)]
        with m.If(left == 1):
            m.d.sync += self.o.valid.eq(1)
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return (left != 0) | self.o.valid
