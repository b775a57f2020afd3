"""Operands of a vector unit: words of the memory, worked off step by step."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from golden.chip.instruction import Op
from hw.arith.bits import choose
from hw.arith.wires import wire
from hw.vector.vector_spec import COUNT_BITS, VectorSpec

START_BITS = 64
OP_BITS = 4
FORMS = {"less": "add", "scale": "multiply", "gelu": "gate"}


def instruction_layout(spec: VectorSpec) -> data.StructLayout:
    """Return the layout of a vector unit's instructions."""
    return data.StructLayout(
        {
            "op": OP_BITS,
            "a": spec.address_bits,
            "b": spec.address_bits,
            "d": spec.address_bits,
            "count": COUNT_BITS,
            "continues": 1,
            "extra": START_BITS,
        }
    )


class Wanted(NamedTuple):
    """Which operation is asked for; the last three are forms of others."""

    add: Value
    multiply: Value
    rotate: Value
    gate: Value
    largest: Value
    powers: Value
    root: Value
    choose: Value
    less: Value  # the largest number is taken from each
    scale: Value  # each is multiplied by the factor
    gelu: Value

    @classmethod
    def of(cls, m: Module, op: Value, scaled: Value) -> "Wanted":
        """Return what an operation's number says, and whether it is another form of it."""
        names = cls._fields[: -len(FORMS)]
        found = {name: wire(m, op == Op[name.upper()], f"is_{name}") for name in names}
        forms = {name: wire(m, found[of] & scaled, f"is_{name}") for name, of in FORMS.items()}
        return cls(**found, **forms)

    @property
    def writes(self) -> Value:
        """Whether a vector is written."""
        return self.add | self.multiply | self.rotate | self.gate | self.powers

    @property
    def split(self) -> Value:
        """Whether odd lanes are a cycle behind the even ones."""
        return self.gate | self.powers | self.root


class Operands(NamedTuple):
    """Numbers of a step; lanes are those of the step."""

    phase: Value  # whether it is the second cycle of a step of two
    odd: Value  # whether the lane of a single one is an odd one of its word
    x: list[Value]
    partner: list[Value]  # the other one of a pair
    y: list[Value]
    other: list[Value]  # the other one of a pair of y
    valid: Value  # in a step's first cycle
    last: Value  # whether the step is the vector's last, in both cycles


class Skew(NamedTuple):
    """By how much the words of ``b`` come later than those of ``a`` for powers.

    From a number's step to that of what its power is multiplied by, it takes ``cycles``.
    """

    periods: int
    spare: int  # cycles more than the power takes

    @classmethod
    def of(cls, spec: VectorSpec, cycles: int) -> "Skew":
        """Return the least skew; a power's factor is taken in the step after its own."""
        period = 2 * (spec.steps + 1)
        periods = -(-(cycles - 2) // period)
        return cls(periods, periods * period + 2 - cycles)


def operands(
    m: Module,
    spec: VectorSpec,
    one: Any,
    wanted: Wanted,
    skew: Skew,
    read: Any,
    running: Value,
    start: Value,
) -> Operands:
    """Read the words of an instruction's vectors while ``running``; return their numbers.

    The first word is read before, with ``start``. A period is a step in which a word of ``a`` is
    held, and those in which it and that of ``b`` are worked off. A step takes
    two cycles where each number goes through a unit twice, or two lanes share one.
    """
    steps = spec.steps
    step = Signal(steps + 1, init=1 << steps)  # one bit for each; in the last one a word is held
    phase, final, over = Signal(), Signal(), Signal()
    word, held = Signal(spec.address_bits), Signal(spec.word, reset_less=True)
    two = wire(m, wanted.rotate | wanted.split, "two")
    ends = wire(m, phase | ~two, "ends")
    hold = wire(m, step[-1] & ends & running, "hold")
    more = running & ~final & ~over
    fetch = wire(m, Mux(two, step[-1] & ~phase, step[-2]) & more, "fetch")
    second = wire(m, hold & wanted.writes & (wanted.powers | ~over), "second")
    a_at, b_at = (Signal(spec.address_bits, name=f"{name}_at") for name in "ab")
    m.d.comb += [
        read.en.eq(start | fetch | second),
        read.address.eq(Mux(start, one.a, Mux(second, b_at, a_at))),
    ]
    ended, last = _end(m, spec, one.count, word, step)
    last = wire(m, final & last & ~over, "last")
    with m.If(~running):
        m.d.sync += [phase.eq(two), word.eq(0), final.eq(0), over.eq(0), step.eq(1 << steps)]
        m.d.sync += [a_at.eq(one.a), b_at.eq(one.b - Mux(wanted.powers, skew.periods, 0))]
    with m.Else():
        m.d.sync += phase.eq(two & ~phase)
        with m.If(ends):
            m.d.sync += [step.eq(step.rotate_left(1)), over.eq(over | last)]
        with m.If(hold):
            m.d.sync += [word.eq(word + 1), held.eq(read.data), final.eq(ended)]
            m.d.sync += [a_at.eq(a_at + 1), b_at.eq(b_at + 1)]
    valid = wire(m, ~step[-1] & ~over & ~phase & running, "valid")
    x, partner = _numbers(m, spec, held, list(step[:-1]), "x")
    # What a power is multiplied by is taken in the step after its own.
    at = [wire(m, Mux(wanted.powers, step[n + 1], step[n]), f"y_step{n}") for n in range(steps)]
    y, other = _numbers(m, spec, read.data, at, "y")
    return Operands(phase, Cat(step[1:steps:2]).any(), x, partner, y, other, valid, last)


def _end(
    m: Module, spec: VectorSpec, count: Value, word: Value, step: Value
) -> tuple[Value, Value]:
    """Return whether a word is the vector's last, and whether a step is, in that word."""
    bits = exact_log2(spec.word_lanes)
    words, rest = count[bits:], count[:bits]
    following = wire(m, (word + 1)[: len(word)], "following")
    final_step = wire(m, (rest - 1)[exact_log2(spec.lanes) : bits], "final_step")
    last = Cat((final_step == n) & step[n] for n in range(spec.steps)).any()
    return Mux(rest.any(), word, following) == words, last


def _numbers(
    m: Module, spec: VectorSpec, word: Any, at: Sequence[Value], name: str
) -> tuple[list[Value], list[Value]]:
    """Return the numbers of a word in a step, and the other ones of their pairs."""

    def taken(place: Callable[[int], int], name: str) -> list[Value]:
        lanes = range(spec.lanes)
        options = [
            [(bit, word[place(n * spec.lanes + k)]) for n, bit in enumerate(at)] for k in lanes
        ]
        return [wire(m, choose(*part), f"{name}{k}") for k, part in enumerate(options)]

    numbers = taken(lambda lane: lane, name)
    if spec.lanes == 1:
        return numbers, taken(lambda lane: lane ^ 1, f"{name}_other")
    return numbers, [numbers[k ^ 1] for k in range(spec.lanes)]
