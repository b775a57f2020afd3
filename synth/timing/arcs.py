"""Whether a cell's timing is there: an arc that is missing makes a path shorter without a word."""

import re

from golden.base.errors import InputError
from synth.libraries.liberty import Cell
from synth.libraries.syntax import Group

NAME = re.compile(r"[\w\[\]]+")
DELAYS = ("cell_rise", "cell_fall")


def require_arcs(cell: Cell) -> None:
    """Refuse a cell without the tables that its paths are timed by.

    Raises
    ------
    InputError
        When an output has no table of delays, an input of a gate is in none of them, or an input
        of a register has no constraint.
    """
    inputs = cell.pins("input")
    related: set[str] = set()
    for name, pin in cell.pins("output").items():
        arcs = [arc for arc in pin.of("timing") if any(any(arc.of(kind)) for kind in DELAYS)]
        if not arcs:
            raise _missing(cell, pin, f"output {name} has no delays")
        related.update(*(_related(arc) for arc in arcs))
    for name, pin in inputs.items():
        held = cell.sequential and (name in clocks(cell) or any(pin.of("timing")))
        if name not in related and not held:
            raise _missing(cell, pin, f"input {name} has no timing")


def _related(arc: Group) -> list[str]:
    return arc.attributes.get("related_pin", "").split()


def _missing(cell: Cell, pin: Group, what: str) -> InputError:
    where = f"{cell.source.name}, line {pin.line}"
    return InputError(f"{where}: cell {cell.name}: {what}, so no longest path")


def clocks(cell: Cell) -> list[str]:
    """Return the pins of a register that the clock drives."""
    kinds = (("ff", "clocked_on"), ("ff_bank", "clocked_on"), ("latch", "enable"))
    texts = [
        group.attributes.get(name, "") for kind, name in kinds for group in cell.group.of(kind)
    ]
    return [pin for pin in cell.pins("input") if any(pin in NAME.findall(text) for text in texts)]
