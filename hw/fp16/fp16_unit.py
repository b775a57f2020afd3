"""What the FP16 units have in common: they may be pipelined."""

from typing import ClassVar

from amaranth.hdl import Module

from hw.fp16.fp16_parts import Cut, keep, registers
from hw.stream.component import Component, In


class Pipelined(Component):
    """A unit that is combinational, or a pipeline that never waits.

    Parameters
    ----------
    pipelined : bool
        Whether there are registers between the steps and behind the last one. They take new
        values in every cycle; ``EnableInserter`` makes them wait.

    Timing
    ------
    Latency : ``latency`` cycles: 0, or ``STAGES`` if pipelined.
    Rate : one result per cycle.
    Through paths : every input to ``o``, combinational; none if pipelined.
    Reset : no state; what is under way in the pipeline goes on.
    """

    STAGES: ClassVar[int]

    def __init__(self, *, pipelined: bool = False) -> None:
        self.pipelined = pipelined
        self.latency = self.STAGES if pipelined else 0
        super().__init__()

    def cuts(self, m: Module) -> Cut:
        """Return what stands between two steps: registers, or nothing."""
        return registers(m) if self.pipelined else keep


class Fp16Unit(Pipelined):
    """A unit of FP16 arithmetic of two operands or more."""

    a = In(16)
    """The first operand, an FP16 pattern."""
    b = In(16)
    """The second, an FP16 pattern."""
