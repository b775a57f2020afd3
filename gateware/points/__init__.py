"""The named points: every component with its parameters chosen that the project tries or measures.

A file for each room of ``hw``, named after it, with a tuple ``POINTS``; a new file is found by
itself. A name is all that crosses a process boundary: the launcher passes it to the simulator,
and ``kllm verilog NAME`` writes its Verilog.
"""

from importlib import import_module
from pkgutil import iter_modules

from gateware.point import Point
from golden.base.names import lookup


def collect(points: list[Point]) -> dict[str, Point]:
    """Return points by name.

    Raises
    ------
    ValueError
        When two have the same: a name must mean one thing to every command.
    """
    found: dict[str, Point] = {}
    for one in points:
        if one.name in found:
            raise ValueError(f"two points are called {one.name}: give one a name with its size")
        found[one.name] = one
    return found


POINTS = collect(
    [
        one
        for room in iter_modules(__path__)
        for one in import_module(f"{__name__}.{room.name}").POINTS
    ]
)
CATALOGUE = {name: one for name, one in POINTS.items() if one.catalogue}


def point(name: str) -> Point:
    """Return the point called ``name``.

    Raises
    ------
    InputError
        When there is none; the text has the names that come near.
    """
    return lookup("design", name, POINTS, "kllm verilog --list")
