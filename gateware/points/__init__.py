"""The named points: every component with its parameters chosen that the project tries or measures.

A file for each room of ``hw``, named after it, with a tuple ``POINTS``; a new file is found by
itself. A name is all that crosses a process boundary: the launcher passes it to the simulator,
and ``kllm verilog NAME`` writes its Verilog.
"""

from importlib import import_module
from pkgutil import iter_modules

from gateware.own import own
from gateware.point import Point
from gateware.variant import BEFORE
from golden.base.errors import InputError
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


def point(address: str) -> Point:
    """Return the point of a name, or one with other parameters: see :mod:`gateware.own`.

    Raises
    ------
    InputError
        When there is none; the text has the names that come near. When it cannot have such
        parameters.
    """
    name, changed, said = address.partition(BEFORE)
    found = lookup("design", name, POINTS, "kllm verilog --list")
    if not changed:
        return found
    made = own(found, said)
    if made.name in POINTS:
        raise InputError(f"the name {made.name} is that of another design: choose one of your own")
    return made
