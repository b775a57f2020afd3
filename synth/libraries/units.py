"""The units of a Liberty file: what its numbers of time, capacitance, voltage and power count."""

import re
from functools import lru_cache

from golden.base.errors import InputError
from synth.libraries.syntax import Group, Statement

PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}
QUANTITY = re.compile(r"(\d+\.?\d*(?:e[-+]?\d+)?)? ?([fpnum]?)([a-z])")
TIME, CAPACITANCE = "time_unit", "capacitive_load_unit"
VOLTAGE, LEAKAGE = "voltage_unit", "leakage_power_unit"
# The letter of each unit, an example, and what Liberty says when nothing stands there.
UNITS = {
    TIME: ("s", "1ns, 100ps, 10ps or 1ps", "1ns"),
    CAPACITANCE: ("f", "(1, pf)", ""),
    VOLTAGE: ("v", "1V", "1V"),
    LEAKAGE: ("w", "1nW", ""),
}
# The units of time that Liberty has; ABC takes any other for 1ns.
TIMES = {1e-9: "1ns", 1e-10: "100ps", 1e-11: "10ps", 1e-12: "1ps"}


@lru_cache
def unit(library: Group, name: str) -> float:
    """Return a unit in seconds, farads, volts or watts.

    Raises
    ------
    InputError
        When it is missing and has no default, or is none.
    """
    letter, example, default = UNITS[name]
    said = library.attributes.get(name, default)
    found = QUANTITY.fullmatch(re.sub(r'[\s",]+', " ", said).strip().lower())
    value = float(found[1] or 1) * PREFIXES[found[2]] if found and found[3] == letter else 0.0
    if name == TIME and value:
        value = next((time for time in TIMES if abs(value / time - 1) < 1e-6), 0.0)
    if not value:
        lacks = f"the cell library {library.name} has no {name} such as {example}"
        raise InputError(f"{lacks}: {said!r}")
    return value


def standardise(library: Group) -> None:
    """Write the units of time and capacitance in the one way that all tools read.

    What is no unit stays: who needs it says so.
    """
    for name in (TIME, CAPACITANCE):
        try:
            value = unit(library, name)
        except InputError:
            continue
        small = value < 1e-13
        load = f"{value / (1e-15 if small else 1e-12):.9g}, {'ff' if small else 'pf'}"
        text = f'{TIME} : "{TIMES[value]}";' if name == TIME else f"{CAPACITANCE} ({load});"
        body = [part for part in library.body if isinstance(part, Group) or part.name != name]
        library.body = [Statement(library.line, name, text), *body]
