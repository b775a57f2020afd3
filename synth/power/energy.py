"""What a cell takes when one of its pins changes, from the library's tables.

An output that changes charges the inputs that it drives, C V^2 / 2 on average, and costs what the
cell's ``internal_power`` tables say for it; an input that changes costs what they say for that.
Rise and fall, and the tables of several conditions, are averaged. Slews are those of the chain of
inverters that defines the FO4. Wires have no capacitance.
"""

from collections.abc import Iterator
from functools import cached_property

from golden.base.errors import InputError
from synth.libraries.fo4 import PICO, chain, interpolate, table
from synth.libraries.functions import NOT, least
from synth.libraries.liberty import Cell, Library
from synth.libraries.syntax import number
from synth.libraries.units import CAPACITANCE, LEAKAGE, TIME, VOLTAGE, unit

LEAST_VOLTS, MOST_VOLTS = 0.1, 20.0
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
        self._slew_seconds = chain(inverter)[1] * unit(inverter.library, TIME)
        self._known: dict[tuple[str, str, float], float] = {}
        groups = (group for cell in library.cells.values() for group in cell.group.groups)
        if not any(any(group.of("internal_power")) for group in groups):
            raise InputError(f"{library.name} has no internal_power tables: no energy without them")

    @cached_property
    def volts(self) -> float:
        """The nominal voltage."""
        library = next(iter(self._cells.values())).library
        text = library.attributes.get("nom_voltage", "")
        try:
            volts = number(text) * unit(library, VOLTAGE)
        except ValueError:
            raise InputError(f"the cell library {library.name} has no nom_voltage") from None
        if not LEAST_VOLTS <= volts <= MOST_VOLTS:
            raise InputError(
                f"the cell library {library.name}: a nom_voltage of {text} is {volts:g} V with its"
                f" {VOLTAGE}, not {LEAST_VOLTS:g} to {MOST_VOLTS:g} V"
            )
        return volts

    def charge_pj(self, farads: float) -> float:
        """Return the energy of one change of a net, in pJ."""
        return farads * self.volts**2 / 2 / PICO

    def pin_farads(self, kind: str, pin: str) -> float:
        """Return the capacitance of an input."""
        cell = self._cells[kind]
        return cell.capacitance(pin) * unit(cell.library, CAPACITANCE)

    def internal_pj(self, kind: str, pin: str, farads: float) -> float:
        """Return what one change of a pin costs within the cell, at a load, in pJ."""
        key = (kind, pin, farads)
        if key not in self._known:
            cell = self._cells[kind]
            load, slew = unit(cell.library, CAPACITANCE), unit(cell.library, TIME)
            group = cell.pin(pin)
            values = [
                interpolate(table(cell, power, name), farads / load, self._slew_seconds / slew)
                for power in (group.of("internal_power") if group else ())
                for name in ("rise_power", "fall_power")
                if any("values" in found.attributes for found in power.of(name))
            ]
            mean = sum(values) / len(values) if values else 0.0
            # Tables are in that unit times the square of the unit of voltage.
            self._known[key] = mean * load * unit(cell.library, VOLTAGE) ** 2 / PICO
        return self._known[key]

    def leakage_watts(self, kind: str) -> float:
        """Return what a cell takes when nothing changes."""
        cell = self._cells[kind]
        text = cell.group.attributes.get("cell_leakage_power")
        try:
            values = [number(text)] if text else [*_leakages(cell)]
        except ValueError as error:
            raise InputError(f"cell {kind}: its leakage is {error}") from None
        if not values:
            return 0.0
        return sum(values) / len(values) * unit(cell.library, LEAKAGE)


def _leakages(cell: Cell) -> Iterator[float]:
    """Yield the leakage in each state; what flows into the ground has come from the supply."""
    for state in cell.group.of("leakage_power"):
        if state.attributes.get("related_pg_pin", "").upper() not in GROUNDS:
            yield number(state.attributes.get("value", "0"))
