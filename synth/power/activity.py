"""How often each net of a simulated netlist changed, from a VCD file."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from golden.base.errors import ToolError

VARIABLE = re.compile(r"\$var\s+\w+\s+(\d+)\s+(\S+)\s+(.+?)(?:\s+(\[[\d:]+\]))?\s+\$end")


@dataclass
class Activity:
    """Changes of nets within a window of clock cycles.

    Parameters
    ----------
    cycles : int
        Rising edges of the clock in the window.
    changes : dict of str to list of int
        For each net the changes of each bit, the lowest first.
    """

    cycles: int = 0
    changes: dict[str, list[int]] = field(default_factory=dict)


def read_activity(path: Path, clock: str, first: int, last: int) -> Activity:
    """Count changes from rising edge ``first`` of the clock (from 0) to ``last``, both in.

    Parameters
    ----------
    path : Path
        The VCD file, of one scope.
    clock : str
        The clock's name in it.
    first, last : int
        The window.

    Raises
    ------
    ToolError
        When the file is missing, has no such clock or ends before the window.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            names = _variables(file)
            ids = {key for key, (name, _) in names.items() if name == clock}
            if not ids:
                raise ToolError(f"{path} has no clock {clock}")
            cycles, single, vectors = _count(file, ids, first, last)
    except OSError as error:
        raise ToolError(f"no activity at {path}: {error.strerror}") from None
    if cycles < last - first + 1:
        raise ToolError(f"{path} ends after {cycles} of {last - first + 1} cycles")
    result = Activity(cycles)
    for key, (name, width) in names.items():
        if width == 1:
            result.changes[name] = [single[key]]
        else:
            result.changes[name] = [vectors[key, bit] for bit in range(width)]
    return result


def _variables(file: Iterator[str]) -> dict[str, tuple[str, int]]:
    """Read the head: the name and width of each identifier."""
    names = {}
    for line in file:
        if found := VARIABLE.match(line.strip()):
            names[found[2]] = (found[3].removeprefix("\\"), int(found[1]))
        elif line.startswith("$enddefinitions"):
            break
    return names


def _count(file: Iterator[str], clocks: set[str], first: int, last: int):
    """Go through the changes; return edges in the window, and changes of bits and vectors."""
    single: Counter[str] = Counter()
    vectors: Counter[tuple[str, int]] = Counter()
    value: dict[str, int] = {}
    edge, counting = -1, False
    for line in file:
        kind = line[0]
        if kind in "01xzXZ":
            key = line[1:].rstrip()
            if key in clocks:
                if kind == "1":
                    edge += 1
                    counting = first <= edge <= last
                    if edge > last:
                        break
            if counting:
                single[key] += 1
        elif kind in "bB":
            text, key = line[1:].split()
            new = int(re.sub("[xzXZ]", "0", text), 2)
            changed = new ^ value.get(key, 0)
            value[key] = new
            while counting and changed:
                vectors[key, (changed & -changed).bit_length() - 1] += 1
                changed &= changed - 1
    return max(0, min(edge, last) - first + 1), single, vectors
