"""Scale of a head's vector, bit by bit: few gates."""

from itertools import pairwise

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data

from golden.exact.cache_codes import LEAST_EXPONENT
from golden.exact.spec import FACTOR_BITS, SCALE_BITS, require_int
from hw.arith.shifts import normalise
from hw.arith.wires import wire
from hw.formats import A_EXPONENT, SCALE, require_power_of_two
from hw.stream.component import Component, In, InStream, OutStream
from hw.token.absolute_sum import UNIT_BITS, absolute_units
from hw.token.token_scale import FACTOR

SECTION = 7  # bits of the units whose sum over a vector is short enough for one cycle
SECTIONS = -(-UNIT_BITS // SECTION)
BELOW = FACTOR_BITS - 1  # bits after the first one that count


class CacheScale(Component):
    """Turn the numbers of a vector into its scale.

    Bit-exact with :func:`golden.exact.token_scale.token_scale`, and then with the clamp of
    :func:`golden.exact.cache_codes.cache_codes`: no scale is below 2**-14. The sum of absolute
    values is made whole a section per cycle, and multiplied by the factor a bit per cycle.

    Parameters
    ----------
    lanes : int
        Numbers in a beat: a power of two, 1 to 64.
    numbers_max : int
        Most numbers of a vector: 2 to 65536.

    Timing
    ------
    Latency : ``latency`` cycles from the transfer of the last beat to ``o.valid``.
    Rate : one beat per cycle; the next vector once ``o`` has been taken.
    Through paths : none.
    Reset : drops the vector under way.
    """

    factor = In(FACTOR)
    """Multiplies the sum; at most 1. Steady while a vector is under way."""
    i = InStream(lambda c: c.beat)
    """FP16 patterns; what is not finite counts as zero. ``last`` marks the vector's last beat."""
    o = OutStream(SCALE)
    """Normalised mantissa (1024 to 2047) and exponent, -24 or more."""

    def __init__(self, lanes: int, numbers_max: int) -> None:
        require_power_of_two("lanes", lanes, low=1, high=64)
        require_int("numbers_max", numbers_max, low=2, high=1 << 16)
        self.lanes, self.numbers_max = lanes, numbers_max
        self.beat = data.StructLayout({"lanes": data.ArrayLayout(16, lanes), "last": 1})
        self.carry_bits = (numbers_max - 1).bit_length()
        # Sections of the sum: those of a number, and what carries out of them.
        self.sections = -(-(UNIT_BITS + self.carry_bits) // SECTION)
        self.latency = 3 + self.sections + 1 + FACTOR_BITS + 1
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        adding, complete, joining = Signal(), Signal(), Signal()
        window, place = self._join(m, self._add_up(m, adding, complete, joining), joining)
        load, multiplying = Signal(), Signal()
        acc, exponent = self._multiply(m, window, place, load, multiplying)
        m.d.sync += self.o.payload.eq(self._rounded(m, acc, exponent))
        left = Signal(range(max(self.sections, FACTOR_BITS)))
        with m.If(joining | multiplying):
            m.d.sync += left.eq(left - 1)
        with m.FSM(name="phase"):
            with m.State("ADD"):
                m.d.comb += adding.eq(1)
                with m.If(complete):
                    m.d.sync += [left.eq(self.sections - 1), joining.eq(1)]
                    m.next = "JOIN"
            with m.State("JOIN"):
                with m.If(left == 0):
                    m.d.sync += joining.eq(0)
                    m.next = "LOAD"
            with m.State("LOAD"):
                m.d.comb += load.eq(1)
                m.d.sync += left.eq(FACTOR_BITS - 1)
                m.next = "MULTIPLY"
            with m.State("MULTIPLY"):
                m.d.comb += multiplying.eq(1)
                with m.If(left == 0):
                    m.next = "ROUND"
            with m.State("ROUND"):
                m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "ADD"

    def _add_up(self, m: Module, adding: Value, complete: Signal, joining: Value) -> list[Signal]:
        """Add up the sections of numbers side by side; one after another they then come first."""
        taken, ending = wire(m, self.i.valid & self.i.ready, "taken"), Signal()
        lanes, counts = Signal.like(self.i.payload.lanes, name="held", reset_less=True), Signal()
        m.d.comb += self.i.ready.eq(adding & ~ending & ~complete)
        m.d.sync += [
            lanes.eq(self.i.payload.lanes),
            counts.eq(taken),
            ending.eq(taken & self.i.payload.last),
            complete.eq(ending),
        ]
        units = [absolute_units(m, lanes[n], str(n), counts=counts) for n in range(self.lanes)]
        totals = [Signal(SECTION + self.carry_bits, name=f"total{n}") for n in range(SECTIONS)]
        for n, (total, following) in enumerate(pairwise([*totals, Const(0, 1)])):
            parts = (value[n * SECTION : (n + 1) * SECTION] for value in units)
            added = sum(parts, Const(0, 1))
            width = SECTION + (self.lanes - 1).bit_length()
            beat_sum = Signal(width, name=f"beat_sum{n}", reset_less=True)
            m.d.sync += beat_sum.eq(added)
            m.d.sync += total.eq(Mux(joining, following, total) + beat_sum)
        return totals

    def _join(self, m: Module, totals: list[Signal], joining: Value) -> tuple[Signal, Signal]:
        """Carry from section to section; return the leading bits, and the section of the first.

        Of a sum of zero all are zero.
        """
        carry = Signal(self.carry_bits)
        below, window = Signal(BELOW), Signal(BELOW + SECTION)
        number, place = (Signal(range(self.sections + 1), name=n) for n in ("number", "place"))
        total = wire(m, (totals[0] + carry)[: SECTION + self.carry_bits], "joined")
        section = total[:SECTION]
        with m.If(joining):
            m.d.sync += [
                carry.eq(total[SECTION:]),
                below.eq(Cat(below[SECTION:], section)),
                number.eq(number + 1),
            ]
            with m.If(section.any()):
                m.d.sync += [window.eq(Cat(below, section)), place.eq(number)]
        with m.Elif(self.o.valid):
            m.d.sync += [below.eq(0), window.eq(0), number.eq(0)]
        return window, place

    def _multiply(
        self, m: Module, window: Signal, place: Signal, load: Value, multiplying: Value
    ) -> tuple[Signal, Signal]:
        """Multiply the leading bits by the factor; return the upper half, and its exponent.

        That is the exponent of a result of 11 bits, where the product has 31 bits.
        """
        head, acc = Signal(FACTOR_BITS, reset_less=True), Signal(FACTOR_BITS, reset_less=True)
        exponent = Signal(signed(10), reset_less=True)
        normal, zeros = normalise(m, window, "near", (4, 2, 1))
        term = self.factor.mantissa & head[0].replicate(FACTOR_BITS)
        # Of 31 bits 20 are dropped; sum and factor are in units of their own.
        offset = SECTION + 20 - FACTOR_BITS - 24
        with m.If(load):
            m.d.sync += [
                head.eq(normal[SECTION - 1 :]),
                acc.eq(0),
                exponent.eq(self.factor.exponent + place * SECTION - zeros + offset),
            ]
        with m.Elif(multiplying):
            m.d.sync += [head.eq(head >> 1), acc.eq((acc + term)[1:])]
        return acc, exponent

    def _rounded(self, m: Module, acc: Signal, exponent: Signal) -> Value:
        """Return the scale: the leading 11 bits of a product, halves up."""
        top = acc[-1]
        drop = FACTOR_BITS - SCALE_BITS
        kept = wire(m, Mux(top, acc[drop - 1 :], acc[drop - 2 :])[: SCALE_BITS + 1], "kept")
        rounded = wire(m, kept[1:] + kept[0], "rounded")
        risen = wire(m, exponent + top + rounded[SCALE_BITS], "risen")
        # The first bit is set also where all others were, and the rounded ones are 0.
        least = wire(m, ~acc[-2:].any() | (risen < LEAST_EXPONENT), "least")
        fraction = rounded[: SCALE_BITS - 1] & ~least.replicate(SCALE_BITS - 1)
        exponent_bits = Mux(least, LEAST_EXPONENT, risen)[: A_EXPONENT.width]
        return Cat(fraction, Const(1, 1), exponent_bits)
