"""Pipelines that move on as one, and keep their values in step."""

from collections.abc import Callable
from typing import Any, NamedTuple

from amaranth.hdl import Cat, Module, Signal, Value, ValueLike

from hw.stream.share import looked_at


class Staged(NamedTuple):
    """A value, and how many stages it lies behind the pipeline's input."""

    value: Value
    depth: int


class Pipeline:
    """Stages of registers that all take their values when ``advance`` is high.

    Values that meet in a stage are delayed to the latest of them, so no stage is counted by hand.

    Parameters
    ----------
    m : Module
        Where the registers are.
    advance : ValueLike
        Whether the pipeline moves on.
    """

    def __init__(self, m: Module, advance: ValueLike) -> None:
        self.m, self.advance = m, advance
        self._later: dict[int, list[Value]] = {}  # by identity: the value, and what it is later

    def start(self, *values: ValueLike) -> tuple[Staged, ...]:
        """Return values as the pipeline's input has them."""
        return tuple(Staged(Value.cast(value), 0) for value in values)

    def at(self, operand: Staged, depth: int) -> Value:
        """Return the operand as it is at a stage, its own or a later one."""
        later = self._later.setdefault(id(operand.value), [operand.value])
        while len(later) <= depth - operand.depth:
            later.append(self._register(later[-1]))
        return later[depth - operand.depth]

    def stage(self, work: Callable[..., ValueLike], *operands: Staged) -> Staged:
        """Return what ``work`` makes of the operands, in the registers of the next stage."""
        depth = max(operand.depth for operand in operands)
        result = Value.cast(work(*(self.at(operand, depth) for operand in operands)))
        return Staged(self._register(result), depth + 1)

    def _register(self, value: Value) -> Value:
        if not len(value):
            return value  # a signal without bits is [-1:0] in Verilog
        held = Signal(value.shape(), name="held", reset_less=True)
        with self.m.If(self.advance):
            self.m.d.sync += held.eq(value)
        return held


def scratch() -> Pipeline:
    """Return a pipeline of which only the depths of its values matter."""
    return Pipeline(looked_at(Module()), 1)


def flow(m: Module, i: Any, o: Any, stages: int) -> Value:
    """Let the items of stream ``i`` go to stream ``o`` through so many stages of registers.

    Connects all but payloads. Returns whether the stages take their values: they move as one,
    while ``o`` has nothing to wait for.
    """
    advance = ~o.valid | o.ready
    valid = Signal(stages, name="valid")
    m.d.comb += [i.ready.eq(advance), o.valid.eq(valid[-1])]
    with m.If(advance):
        m.d.sync += valid.eq(Cat(i.valid, valid))
    return advance


def later(m: Module, value: ValueLike, cycles: int, *, reset_less: bool = True) -> Any:
    """Return what ``value`` was some cycles ago."""
    passed: Any = value
    for _ in range(cycles):
        held: Any = Signal.like(value, name="later", reset_less=reset_less)
        m.d.sync += held.eq(passed)
        passed = held
    return passed
