"""Arithmetic of a vector unit: a multiplier and an adder a lane, a function unit for each two."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from golden.exact.fp16_arithmetic import SIGN
from hw.arith.bits import choose
from hw.arith.wires import wire
from hw.fp16.fp16_add import Fp16Add
from hw.fp16.fp16_multiply import Fp16Multiply
from hw.stream.component import Component
from hw.stream.pipeline import later
from hw.vector.function_unit import FunctionUnit
from hw.vector.vector_operands import Operands, Wanted

FUNCTIONS = ("exp", "sigmoid")
GELU = "gelu"
ONE = 0x3C00
# Cycles from a step's first one to that in which there are ...
SUM = 1 + Fp16Add.STAGES  # sums and products of its numbers
TURNED = SUM + 2 + Fp16Add.STAGES  # sums of two products
SIGMOIDS = 1 + FunctionUnit.STAGES  # sigmoids of even lanes
GATED = SIGMOIDS + 1 + Fp16Multiply.STAGES
POWERS = SUM + 1 + FunctionUnit.STAGES
TIMES = POWERS + 1 + Fp16Multiply.STAGES


class Lanes(NamedTuple):
    """What lanes have computed, in the cycles above."""

    numbers: list[Value]  # those of the step before, finite ones
    pairs: list[Value]  # one number of each pair: that of the even lane in a step's first cycle
    functions: list[Value]  # of these
    sums: list[Value]
    products: list[Value]


def compute(
    unit: Component,
    m: Module,
    wanted: Wanted,
    steps: Operands,
    counts: Value,
    most: Value,
    factor: Value,
    spare: int,
    gelu: bool,
) -> Lanes:
    """Compute with the numbers of steps.

    Parameters
    ----------
    unit : Component
        Gets the parts.
    m : Module
        Its module.
    wanted, steps
        What is computed, and from what.
    counts : Value
        Lanes that count in this step.
    most : Value
        FP16 pattern that is taken from each number before its power, or alone.
    factor : Value
        FP16 pattern that each number may be multiplied by.
    spare : int
        Cycles that powers wait for what they are multiplied by.
    gelu : bool
        Whether there is GELU.
    """
    lanes = range(len(steps.x))
    multiply = [unit.put(m, f"multiply{n}", Fp16Multiply(pipelined=True)) for n in lanes]
    add = [unit.put(m, f"add{n}", Fp16Add(pipelined=True)) for n in lanes]
    pairs = [_pair(m, wanted, steps, add, n) for n in lanes[::2]]
    known, function = (FUNCTIONS, wanted.gate)
    if gelu:
        known = (*FUNCTIONS, GELU)
        function = Cat(wanted.gate & ~wanted.gelu, wanted.gelu)
    functions = [
        unit.put(m, f"function{n}", FunctionUnit(known), i=pair, function=function).o
        for n, pair in enumerate(pairs)
    ]
    for n in lanes:
        _add(m, wanted, steps, add[n], multiply[n].o, n, counts[n], most)
        power = later(m, functions[n // 2], spare)
        function = Mux(wanted.powers, power, functions[n // 2]) if spare else power
        product = Mux(wanted.gelu, ONE, add[n].a) if gelu else add[n].a
        y = Mux(wanted.scale, factor, steps.y[n])
        _multiply(m, wanted, steps, multiply[n], function, product, y, n)
    return Lanes(
        [part.a for part in add],
        pairs,
        functions,
        [part.o for part in add],
        [part.o for part in multiply],
    )


def _finite(m: Module, bits: Value, name: str) -> Value:
    return wire(m, ~bits[10:15].all(), f"finite_{name}")


def _pair(m: Module, wanted: Wanted, steps: Operands, add: list[Fp16Add], n: int) -> Value:
    """Return the argument of a function: of one lane of two, then of the other."""
    other = min(n + 1, len(add) - 1)
    x = wire(m, Mux(steps.phase, steps.x[other], steps.x[n]), f"x_pair{n}")
    # Sums come in a step's second cycle, and stay for two.
    total = Mux(steps.phase, add[n].o, add[other].o)
    kept = wire(m, wanted.gate | (wanted.root & _finite(m, x, f"pair{n}")), f"pair_kept{n}")
    return _held(m, choose((wanted.powers, total), (kept, x)), f"pair{n}")


def _add(
    m: Module,
    wanted: Wanted,
    steps: Operands,
    add: Fp16Add,
    product: Value,
    n: int,
    counts: Value,
    most: Value,
) -> None:
    """Give an adder what it adds; its operands also hold a product until it is needed."""
    x, y = steps.x[n], steps.y[n]
    twice = wire(m, wanted.rotate | wanted.gate, f"twice{n}")
    # What is largest, or to be a power, is finite; -0 is as +0.
    usual = _finite(m, x, f"x{n}") & x[:15].any() & counts
    kept = wire(m, ~twice & (wanted.add | usual), f"x_kept{n}")
    one = choose((twice, add.b), (kept, x))
    if len(steps.x) > 1:
        flip = Const(1 - n % 2, 1)
    else:
        flip = ~later(m, steps.odd, SUM)
    # The second of two products is there in a step's first cycle.
    turned = product ^ Cat(Const(0, 15), wanted.rotate & flip & ~steps.phase)
    negated = most ^ SIGN
    added = wire(m, wanted.add & ~wanted.less, f"added{n}")
    other = choose((twice, turned), (wanted.powers | wanted.less, negated), (added, y))
    m.d.comb += [add.a.eq(_held(m, one, f"add_a{n}")), add.b.eq(_held(m, other, f"add_b{n}"))]


def _multiply(
    m: Module,
    wanted: Wanted,
    steps: Operands,
    multiply: Fp16Multiply,
    function: Value,
    product: Value,
    y: Value,
    n: int,
) -> None:
    """Give a multiplier what it multiplies; in a step of two cycles it does so twice."""
    odd_lane = n % 2
    second = steps.phase ^ odd_lane
    gated = wire(m, wanted.gate & second, f"gated{n}")
    partner = wire(m, wanted.rotate & steps.phase, f"partner{n}")
    from_function = wire(m, gated | wanted.powers, f"from_function{n}")
    one = choose(
        (from_function, function),
        (partner, steps.partner[n]),
        (~from_function & ~partner, steps.x[n]),
    )
    # Cosines are in even lanes, sines in odd ones.
    odd = Const(odd_lane, 1) if len(steps.x) > 1 else steps.odd
    crossed = wire(m, wanted.rotate & (steps.phase ^ odd), f"crossed{n}")
    options = [(gated, product), (crossed, steps.other[n])]
    rest = ~gated & ~crossed
    factor = Signal(16, name=f"factor{n}", reset_less=True)
    if odd_lane:
        # Powers of odd lanes come a cycle later.
        stays = wire(m, wanted.powers & steps.phase, f"stays{n}")
        options.append((stays, factor))
        rest &= ~stays
    options.append((wire(m, rest, f"own{n}"), y))
    m.d.sync += factor.eq(choose(*options))
    m.d.comb += [multiply.a.eq(_held(m, one, f"multiply_a{n}")), multiply.b.eq(factor)]


def _held(m: Module, value: Value, name: str) -> Signal:
    """Return a value a cycle later."""
    held = Signal(len(value), name=name, reset_less=True)
    m.d.sync += held.eq(value)
    return held
