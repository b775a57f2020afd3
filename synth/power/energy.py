"""What a cell takes when one of its pins changes, from the library's tables.

An output that changes charges the inputs that it drives, C V^2 / 2 on average, and costs what the
cell's ``internal_power`` tables say for it; an input that changes costs what they say for that.
Rise and fall, and the tables of several conditions, are averaged. Slews are those of the chain of
inverters that defines the FO4. Wires have no capacitance.
"""

import re
from collections.abc import Iterator
from functools import cached_property

from golden.base.errors import InputError
from synth.libraries.fo4 import chain, interpolate, table, time_unit
from synth.libraries.functions import NOT, least
from synth.libraries.liberty import Cell, Group, Library, numbers

PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}
PICO = 1e-12
GROUNDS = ("VSS", "GND", "VGND")


class Energies:
    """The energies of a library's cells.

    Parameters
    ----------
    library : Library
        One that has ``internal_power`` tables.

    Raises
    ------
    InputError
        When units, voltage or the inverter's tables are missing.
    """

    def __init__(self, library: Library) -> None:
        self._cells = library.cells
        inverter = least(library, NOT, "inverter")
        self._slew_seconds = chain(inverter)[1] * time_unit(inverter.library)
        self._known: dict[tuple[str, str, float], float] = {}
        if not any(
            _tables(group) for cell in library.cells.values() for group in cell.group.groups
        ):
            raise InputError(f"{library.name} has no internal_power tables: no energy without them")

    @cached_property
    def volts(self) -> float:
        """The nominal voltage."""
        library = next(iter(self._cells.values())).library
        try:
            return float(library.attributes["nom_voltage"])
        except (KeyError, ValueError):
            raise InputError(f"the cell library {library.name} has no nom_voltage") from None

    def charge_pj(self, farads: float) -> float:
        """Return the energy of one change of a net, in pJ."""
        return farads * self.volts**2 / 2 / PICO

    def pin_farads(self, kind: str, pin: str) -> float:
        """Return the capacitance of an input."""
        cell = self._cells[kind]
        group = next((g for g in cell.group.of("pin") if g.name == pin), None)
        found = numbers(group.attributes.get("capacitance", "")) if group else []
        return found[0] * _capacitance_unit(cell.library) if found else 0.0

    def internal_pj(self, kind: str, pin: str, farads: float) -> float:
        """Return what one change of a pin costs within the cell, at a load, in pJ."""
        cell = self._cells[kind]
        unit = _capacitance_unit(cell.library)
        key = (kind, pin, round(farads / unit, 3))
        if key not in self._known:
            slew = self._slew_seconds / time_unit(cell.library)
            group = next((g for g in cell.group.of("pin") if g.name == pin), None)
            values = [
                interpolate(table(cell, power, name), farads / unit, slew)
                for power in (group.of("internal_power") if group else ())
                for name in ("rise_power", "fall_power")
                if any("values" in found.attributes for found in power.of(name))
            ]
            mean = sum(values) / len(values) if values else 0.0
            self._known[key] = mean * unit / PICO  # tables are in that unit times V^2
        return self._known[key]

    def leakage_watts(self, kind: str) -> float:
        """Return what a cell takes when nothing changes."""
        cell = self._cells[kind]
        text = cell.group.attributes.get("cell_leakage_power")
        values = [float(text)] if text else [*_leakages(cell)]
        if not values:
            return 0.0
        unit = cell.library.attributes.get("leakage_power_unit", "")
        found = re.fullmatch(r"([\d.]+)\s*([fpnum]?)W", unit)
        if found is None:
            raise InputError(f"{cell.library.name} has no leakage_power_unit such as 1nW: {unit!r}")
        return sum(values) / len(values) * float(found[1]) * PREFIXES[found[2]]


def _tables(pin: Group) -> Iterator[Group] | None:
    return pin.of("internal_power") if any(pin.of("internal_power")) else None


def _leakages(cell: Cell) -> Iterator[float]:
    """Yield the leakage in each state; what flows into the ground has come from the supply."""
    for state in cell.group.of("leakage_power"):
        if state.attributes.get("related_pg_pin", "").upper() not in GROUNDS:
            yield float(state.attributes.get("value", 0))


def _capacitance_unit(library: Group) -> float:
    """Return a library's unit of capacitance in farads."""
    text = library.attributes.get("capacitive_load_unit", "")
    found = re.fullmatch(r'\s*([\d.]+)\s*,\s*"?([fpn])f"?\s*', text, re.I)
    if found is None:
        raise InputError(f"{library.name} has no capacitive_load_unit such as (1, pf): {text!r}")
    return float(found[1]) * PREFIXES[found[2].lower()]
