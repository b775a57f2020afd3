"""Largest number of a vector, and where it stands."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.utils import exact_log2

from hw.arith.wires import wire
from hw.formats import require_power_of_two
from hw.stream.component import Component, In, Out
from hw.stream.pipeline import later
from hw.vector.vector_spec import COUNT_BITS

HALF = 16  # bits of a token's number that are added in a cycle
ZERO = 1 << 15  # what orders as a zero does


class Largest(Component):
    """Find the largest number of a vector, or the first token whose number is the largest.

    As :meth:`golden.chip.machine.Machine.largest` and :meth:`~golden.chip.machine.Machine.choose`
    do: what is not finite is zero by now.

    Parameters
    ----------
    lanes : int
        Numbers in a cycle: a power of two, 1 to 64.

    Timing
    ------
    Latency : ``latency`` cycles from ``numbers`` to ``largest``; ``CHOOSING`` cycles from
        ``finish`` to ``chosen``.
    Rate : ``lanes`` numbers per cycle.
    Through paths : none.
    Reset : all of what was the largest is 0, and so is the token.
    """

    CHOOSING = 2

    start = In(1)
    """Strobe: a vector begins. None of the last one's numbers are on their way."""
    choosing = In(1)
    """Whether it is for a token. This, ``continues`` and ``first`` are steady from ``start`` on."""
    continues = In(1)
    """Whether the vector goes on with the last one for a token."""
    first = In(32)
    """The token of the vector's first number."""
    used = In(lambda c: c.lanes)
    """Which of the numbers count: all but in the last cycle, where the first ones do; or none."""
    numbers = In(lambda c: 16 * c.lanes)
    """Finite FP16 patterns but for -0, lane 0 lowest."""
    finish = In(1)
    """Strobe: all numbers of a vector for a token have had their effect."""
    largest = Out(16)
    """FP16 pattern of the largest number of the last vector that was not for a token."""
    chosen = Out(32)
    """The token."""

    def __init__(self, lanes: int) -> None:
        require_power_of_two("lanes", lanes, low=1, high=64)
        self.lanes = lanes
        self.latency = exact_log2(lanes) + 1
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        key, lane = self._best_lane(m)
        most, best = (Signal(16, init=ZERO, name=name) for name in ("most", "best"))
        steps = Signal(COUNT_BITS - exact_log2(self.lanes))
        at, better = Signal(COUNT_BITS), Signal()
        held = wire(m, Mux(self.choosing, best, most), "held")
        beyond = wire(m, key > held, "beyond")
        with m.If(self.start):
            m.d.sync += [steps.eq(0), better.eq(0)]
            with m.If(~self.choosing):
                m.d.sync += most.eq(0)
            with m.Elif(~self.continues):
                m.d.sync += best.eq(0)
        with m.Else():
            with m.If(key.any()):
                m.d.sync += steps.eq(steps + 1)
            with m.If(beyond & ~self.choosing):
                m.d.sync += most.eq(key)
            with m.If(beyond & self.choosing):
                m.d.sync += [best.eq(key), at.eq(Cat(lane, steps)), better.eq(1)]
        m.d.comb += self.largest.eq(_pattern(most))
        self._choose(m, at, better)

    def _best_lane(self, m: Module) -> tuple[Value, Value]:
        """Return the key of the largest number, 0 if there is none, and the first such lane."""
        found: list[tuple[Value, Value]] = []
        for n in range(self.lanes):
            key = _ordered(self.numbers.word_select(n, 16))
            counts = wire(m, key & self.used[n].replicate(16), f"key{n}")
            found.append((counts, counts[:0]))
        while len(found) > 1:
            pairs = zip(found[::2], found[1::2], strict=True)
            found = [self._later_if_larger(m, *pair) for pair in pairs]
        return found[0]

    def _later_if_larger(
        self, m: Module, one: tuple[Value, Value], other: tuple[Value, Value]
    ) -> tuple[Value, Value]:
        wins = wire(m, other[0] > one[0], "wins")
        kept = [Mux(wins, b, a) for a, b in zip(one, other, strict=True)]
        key, lane = Signal(16, name="winner"), Signal(len(one[1]) + 1, name="lane", reset_less=True)
        m.d.sync += [key.eq(kept[0]), lane.eq(Cat(kept[1], wins))]
        return key, lane

    def _choose(self, m: Module, at: Signal, better: Signal) -> None:
        """Add place and first token, half by half."""
        low = wire(m, self.first[:HALF] + at, "low")
        carry = later(m, low[HALF], 1)
        high = wire(m, self.first[HALF:] + carry, "high")
        with m.If(self.finish & better):
            m.d.sync += self.chosen[:HALF].eq(low)
        with m.If(later(m, self.finish & better, 1, reset_less=False)):
            m.d.sync += self.chosen[HALF:].eq(high)


def _ordered(pattern: Value) -> Value:
    """Return a pattern as an integer that orders as it does; what is 0 lies below all."""
    return Cat(pattern[:15] ^ pattern[15].replicate(15), ~pattern[15])


def _pattern(key: Value) -> Value:
    """Return the pattern that orders so."""
    return Cat(key[:15] ^ (~key[15]).replicate(15), ~key[15])
