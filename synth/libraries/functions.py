"""Boolean functions of cells: cells are found by what they do, not by what they are called."""

import math
import re
from collections.abc import Callable, Sequence
from itertools import product

from golden.base.errors import InputError
from synth.libraries.liberty import Cell, Library

TOKEN = re.compile(r"\s*([A-Za-z_][\w\[\]]*|[01]|[!'^&*|+()])")

Table = tuple[bool, ...]


def truth_table(function: str, inputs: Sequence[str]) -> Table:
    """Return a Liberty function's value for every input, the last input changing fastest.

    Raises
    ------
    ValueError
        When the text is no function of these inputs.
    """
    evaluate = _Parser(function).whole()
    return tuple(
        evaluate(dict(zip(inputs, values, strict=True)))
        for values in product((False, True), repeat=len(inputs))
    )


Evaluate = Callable[[dict[str, bool]], bool]


class _Parser:
    """Recursive descent; binds tightest first: ! and ', then ^, then & * or a gap, then | +."""

    def __init__(self, text: str) -> None:
        self.tokens = []
        position, end = 0, len(text.rstrip())
        while position < end:
            found = TOKEN.match(text, position)
            if found is None:
                raise ValueError(f"no Liberty function: {text}")
            self.tokens.append(found[1])
            position = found.end()
        self.tokens.append("")

    def whole(self) -> Evaluate:
        value = self.either()
        if self.tokens[0]:
            raise ValueError(f"no Liberty function: {self.tokens[0]} left over")
        return value

    def either(self) -> Evaluate:
        left = self.both()
        while self.tokens[0] in ("|", "+"):
            self.tokens.pop(0)
            left = _combine(lambda a, b: a or b, left, self.both())
        return left

    def both(self) -> Evaluate:
        left = self.differ()
        while self.tokens[0] not in ("", "|", "+", ")"):
            if self.tokens[0] in ("&", "*"):
                self.tokens.pop(0)
            left = _combine(lambda a, b: a and b, left, self.differ())
        return left

    def differ(self) -> Evaluate:
        left = self.single()
        while self.tokens[0] == "^":
            self.tokens.pop(0)
            left = _combine(lambda a, b: a != b, left, self.single())
        return left

    def single(self) -> Evaluate:
        token = self.tokens.pop(0)
        if token == "!":
            value = _invert(self.single())
        elif token == "(":
            value = self.either()
            if self.tokens.pop(0) != ")":
                raise ValueError("no Liberty function: a parenthesis is not closed")
        elif token in ("0", "1"):
            value = _constant(token == "1")
        elif token and (token[0].isalpha() or token[0] == "_"):
            value = _variable(token)
        else:
            raise ValueError(f"no Liberty function: {token or 'the end'} where a pin should be")
        while self.tokens[0] == "'":
            self.tokens.pop(0)
            value = _invert(value)
        return value


def _combine(operator: Callable[[bool, bool], bool], left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda pins: operator(left(pins), right(pins))


def _invert(value: Evaluate) -> Evaluate:
    return lambda pins: not value(pins)


def _constant(value: bool) -> Evaluate:
    return lambda pins: value


def _variable(name: str) -> Evaluate:
    def look_up(pins: dict[str, bool]) -> bool:
        if name not in pins:
            raise ValueError(f"no input is called {name}")
        return pins[name]

    return look_up


def tables(cell: Cell) -> dict[str, Table]:
    """Return the truth table of each output of a combinational cell; empty for any other."""
    inputs, outputs = list(cell.pins("input")), cell.pins("output")
    if cell.sequential or not 1 <= len(inputs) <= 3:
        return {}  # wider cells are of no interest here
    if any("three_state" in pin.attributes for pin in outputs.values()):
        return {}
    try:
        return {
            name: truth_table(pin.attributes.get("function", ""), inputs)
            for name, pin in outputs.items()
        }
    except ValueError:
        return {}


NOT: Table = (True, False)
BUFFER: Table = (False, True)
NAND2: Table = (True, True, True, False)
SUM: Table = tuple(sum(bits) % 2 == 1 for bits in product((0, 1), repeat=3))
CARRY: Table = tuple(sum(bits) >= 2 for bits in product((0, 1), repeat=3))


def least(library: Library, table: Table, what: str) -> Cell:
    """Return the smallest cell with one output that computes ``table``; then the shortest name.

    Raises
    ------
    InputError
        When the library has none.
    """
    found = _computing(library, table)
    if not found:
        raise InputError(f"the cell library {library.name} has no {what}: name another")
    return min(found, key=lambda cell: (cell.area, len(cell.name), cell.name))


def _computing(library: Library, table: Table) -> list[Cell]:
    """Return the cells with one output that compute ``table`` and may be chosen."""
    return [
        cell
        for cell in library.cells.values()
        if cell.usable and cell.area > 0 and list(tables(cell).values()) == [table]
    ]


def weakest(library: Library, table: Table) -> Cell:
    """Return the cell that computes ``table`` with the least input capacitance.

    That is the one of the weakest drive: transistors half as wide load and drive half as much.
    """

    def load(cell: Cell) -> float:
        try:
            return sum(map(cell.capacitance, cell.pins("input")))
        except InputError:
            return math.inf

    return min(_computing(library, table), key=lambda cell: (load(cell), cell.area, cell.name))


def full_adder(library: Library) -> tuple[Cell, dict[str, tuple[str, bool]]] | None:
    """Return the smallest full adder, or None.

    Returns
    -------
    Cell
        The cell: its three inputs are alike.
    dict
        For ``sum`` and ``carry``: the output pin, and whether it gives the inverse.
    """
    found = []
    for cell in library.cells.values():
        outputs = tables(cell) if cell.usable and cell.area > 0 else {}
        roles: dict[str, tuple[str, bool]] = {}
        for pin, table in outputs.items():
            for role, wanted in (("sum", SUM), ("carry", CARRY)):
                inverse = tuple(not value for value in wanted)
                if table in (wanted, inverse):
                    roles[role] = (pin, table == inverse)
        if len(roles) == len(outputs) == 2:
            found.append((cell, roles))
    return min(found, key=lambda entry: (entry[0].area, entry[0].name), default=None)
