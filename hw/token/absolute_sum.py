"""Sum of a token's absolute values, exactly."""

from itertools import pairwise

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.arith.bits import choose
from hw.arith.wires import wire
from hw.engine_spec import EngineSpec
from hw.stream.component import InStream, OutStream, Sized

UNIT_BITS = 40  # |x| in units of 2**-24
SECTION = 5  # whose sum over a token is short enough for one cycle
SECTIONS = range(UNIT_BITS // SECTION)


class AbsoluteSum(Sized[EngineSpec]):
    """Add up |x| over the beats of a token, in units of 2**-24.

    Bit-exact with the sum of :func:`golden.exact.fp16.units`. One adder tree, no multiplier.

    Timing
    ------
    Latency : ``LATENCY`` cycles from the transfer of the last beat to ``o.valid``.
    Rate : one beat per cycle; a token every ``LATENCY`` cycles, or when ``o`` is taken.
    Through paths : none.
    Reset : drops the token under way.
    """

    LATENCY = 2 + len(SECTIONS)

    i = InStream(lambda c: c.beat)
    """Finite FP16 patterns, lane 0 lowest; ``last`` marks the token's last beat."""
    o = OutStream(lambda c: c.spec.total_bits)
    """One sum per token."""

    def __init__(self, spec: EngineSpec) -> None:
        lanes = data.ArrayLayout(16, spec.inputs_per_beat)
        self.beat = data.StructLayout({"lanes": lanes, "last": 1})
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        lanes = self.spec.inputs_per_beat
        extra = self.spec.total_bits - UNIT_BITS
        # Sections of the units add up side by side: a carry waits until the token is complete.
        patterns = self.i.payload.lanes
        units = [absolute_units(m, patterns[n], str(n)) for n in range(lanes)]
        # Even and odd lanes meet in the total: that sum is the shorter one.
        layout = data.ArrayLayout(SECTION + exact_log2(lanes) - 1, 2)
        beat_sums = [Signal(layout, name=f"beat_sum{n}") for n in SECTIONS]
        totals = [Signal(SECTION + extra, name=f"total{n}") for n in SECTIONS]
        following = [Signal(SECTION + extra, name=f"following{n}") for n in SECTIONS]
        beat_valid, beat_last, busy, advance = Signal(), Signal(), Signal(), Signal()
        complete = beat_valid & beat_last & ~busy
        m.d.comb += [advance.eq(~(beat_valid & beat_last & busy)), self.i.ready.eq(advance)]
        for n in SECTIONS:
            m.d.comb += following[n].eq(totals[n] + beat_sums[n][0] + beat_sums[n][1])
        with m.If(advance):
            m.d.sync += [beat_valid.eq(self.i.valid), beat_last.eq(self.i.payload.last)]
            for n in SECTIONS:
                parts = [value[n * SECTION : (n + 1) * SECTION] for value in units]
                m.d.sync += [beat_sums[n][k].eq(sum(parts[k::2], Const(0, 1))) for k in range(2)]
                with m.If(beat_valid):
                    m.d.sync += totals[n].eq(Mux(beat_last, 0, following[n]))
        m.d.comb += busy.eq(self._join(m, complete, following))

    def _join(self, m: Module, complete: Value, sections: list[Signal]) -> Value:
        """Add up the sections of a token, one per cycle; return whether one is under way."""
        left = Signal(range(len(SECTIONS) + 1))
        waiting = [Signal.like(section, name=f"section{n}") for n, section in enumerate(sections)]
        low, carry = Signal(UNIT_BITS), Signal(self.spec.total_bits - UNIT_BITS)
        total = Signal(len(waiting[0]) + 1)
        m.d.comb += [total.eq(waiting[0] + carry), self.o.payload.eq(Cat(low, carry))]
        with m.If(complete):
            m.d.sync += [held.eq(value) for held, value in zip(waiting, sections, strict=True)]
            m.d.sync += [left.eq(len(SECTIONS)), carry.eq(0)]
        with m.Elif(left != 0):
            m.d.sync += [held.eq(value) for held, value in pairwise(waiting)]
            m.d.sync += [
                low.eq(Cat(low[SECTION:], total[:SECTION])),
                carry.eq(total[SECTION:]),
                left.eq(left - 1),
            ]
        with m.If(left == 1):
            m.d.sync += self.o.valid.eq(1)
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return (left != 0) | self.o.valid


def absolute_units(m: Module, bits: Value, name: str, *, counts: Value | None = None) -> Signal:
    """Return |x| of a finite FP16 pattern in units of 2**-24.

    With ``counts`` it may be any pattern; it is 0 if that is low or the pattern is not finite.
    """
    exponent = bits[10:15]
    # Subnormals share the exponent of the smallest normal numbers, which is 1.
    near = Cat(bits[10] | ~exponent.any(), bits[11:13])
    fine = wire(m, Cat(bits[:10], exponent.any()) << near, f"fine{name}")
    far = [wire(m, bits[13:15] == n, f"far{name}_{n}") for n in range(4)]
    if counts is not None:
        far[3] = wire(m, far[3] & ~exponent[:3].all(), f"finite{name}")
        far = [wire(m, part & counts, f"counted{name}_{n}") for n, part in enumerate(far)]
    placed = choose(*((far[n], fine << (8 * n)) for n in range(4)))
    return wire(m, (placed >> 1)[:UNIT_BITS], f"units{name}")
