"""A machine that notes the steps of a program in the place of carrying them out."""

from dataclasses import replace
from typing import Any

from golden.chip.instruction import Instruction, Op
from golden.chip.machine import Machine
from sim.kit.chip_units import step_of

UNITS = [op for op in Op if op not in (Op.NEXT, Op.TAKE)]


class Notes(Machine):
    """A machine that notes what its units are told, and chooses tokens that were made up."""

    def __init__(self, shape: Any, memory: bytes, choices: list[int]) -> None:
        super().__init__(shape, memory)
        self.steps: list[dict[str, int]] = []
        self.choices = iter(choices)

    def check(self, one: Instruction) -> None:
        """Take any instruction."""

    def note(self, one: Instruction) -> None:
        """Note a step."""
        one = replace(one, address=self.address(one))
        self.steps.append(step_of(one, self.place(one)))
        if one.op == Op.CHOOSE:
            self.chosen = next(self.choices)


for _op in UNITS:
    setattr(Notes, _op.name.lower(), Notes.note)
