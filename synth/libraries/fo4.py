"""FO4: the delay of an inverter that drives four of its own kind, a library's unit of speed."""

import math
from collections.abc import Sequence
from itertools import pairwise

from golden.base.errors import InputError
from synth.libraries.liberty import Cell
from synth.libraries.syntax import Group, numbers
from synth.libraries.units import TIME, unit

PICO = 1e-12
COPIES = 4
ROUNDS = 100
TEMPLATES = ("lu_table_template", "power_lut_template")
LOAD = "total_output_net_capacitance"


def fo4_ps(inverter: Cell) -> float:
    """Return the FO4 of a library in ps, from the tables of its least inverter.

    The stage stands in an endless chain of its like: slews are those that reproduce themselves.
    The load is four input capacitances without wire; rise and fall are averaged.

    Raises
    ------
    InputError
        When the inverter's timing tables or the library's units are missing, or give no delay.
    """
    delay, _ = chain(inverter)
    if not 0 < delay < math.inf:
        raise InputError(f"cell {inverter.name}: a delay of {delay:g} in its tables, so no FO4")
    return delay * unit(inverter.library, TIME) / PICO


def chain(inverter: Cell) -> tuple[float, float]:
    """Return delay and slew in that chain, in the library's unit, rise and fall averaged."""
    arc = _arc(inverter)
    (pin,) = inverter.pins("input")
    load = COPIES * inverter.capacitance(pin)

    def look_up(name: str, slew: float) -> float:
        return interpolate(table(inverter, arc, name), load, slew)

    rise = fall = 0.0  # transition times at each stage's input, in turn
    for _ in range(ROUNDS):
        rise, fall = look_up("rise_transition", fall), look_up("fall_transition", rise)
    delay = (look_up("cell_rise", fall) + look_up("cell_fall", rise)) / 2
    return delay, (rise + fall) / 2


def _arc(inverter: Cell) -> Group:
    (pin,) = inverter.pins("output").values()
    for timing in pin.of("timing"):
        if any(timing.of("cell_rise")):
            return timing
    raise InputError(f"cell {inverter.name} has no cell_rise table, so no FO4")


def table(cell: Cell, arc: Group, kind: str) -> tuple[list[float], list[float], list[float]]:
    """Return a table's loads, slews and values (slews fastest)."""
    found = next(arc.of(kind), None)
    if found is None or "values" not in found.attributes:
        raise InputError(f"cell {cell.name} has no {kind} table, so no FO4")
    templates = {group.name: group for of in TEMPLATES for group in cell.library.of(of)}
    template = templates.get(found.name, Group(TEMPLATES[0], []))
    axes: dict[str, list[float]] = {}
    order = []
    for number in (1, 2):
        variable = template.attributes.get(f"variable_{number}")
        if variable is not None:
            index = {**template.attributes, **found.attributes}.get(f"index_{number}", "")
            order.append("load" if variable == LOAD else "slew")
            axis = axes[order[-1]] = numbers(index)
            if any(after <= before for before, after in pairwise(axis)):
                raise InputError(f"cell {cell.name}: index_{number} of its {kind} does not ascend")
    loads, slews = axes.get("load", [0.0]), axes.get("slew", [0.0])
    values = numbers(found.attributes["values"])
    if not values or len(values) != len(loads) * len(slews):
        raise InputError(f"cell {cell.name}: the size of its {kind} table is not its indices'")
    if order[:1] == ["slew"]:  # slews are the rows: turn them
        values = [values[s * len(loads) + n] for n in range(len(loads)) for s in range(len(slews))]
    return loads, slews, values


def interpolate(
    table: tuple[Sequence[float], Sequence[float], Sequence[float]], load: float, slew: float
) -> float:
    """Return a table's value, linear in both; beyond the edges its outer slope goes on."""
    loads, slews, values = table
    width = len(slews)
    columns = [_line(slews, values[n * width : (n + 1) * width], slew) for n in range(len(loads))]
    return _line(loads, columns, load)


def _line(xs: Sequence[float], ys: Sequence[float], x: float) -> float:
    if len(xs) == 1:
        return ys[0]
    upper = next((n for n in range(1, len(xs)) if x <= xs[n]), len(xs) - 1)
    x0, x1, y0, y1 = xs[upper - 1], xs[upper], ys[upper - 1], ys[upper]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
