"""What the FP16 units of two operands and more have in common."""

from typing import ClassVar

from hw.stream.component import Component, In


class Fp16Unit(Component):
    """A unit of FP16 arithmetic, combinational or a pipeline that never waits.

    Parameters
    ----------
    pipelined : bool
        Whether there are registers between the steps and behind the last one. They take new
        values in every cycle; ``EnableInserter`` makes them wait.
    """

    STAGES: ClassVar[int]

    a = In(16)
    """The first operand, an FP16 pattern."""
    b = In(16)
    """The second, an FP16 pattern."""

    def __init__(self, *, pipelined: bool = False) -> None:
        self.pipelined = pipelined
        self.latency = self.STAGES if pipelined else 0
        super().__init__()
