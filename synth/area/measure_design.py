"""One design measured, and nothing else."""

from typing import Any

from gateware.design import Design
from gateware.points import point
from synth.area.area import TIMEOUT, Area, as_json
from synth.area.measure import measure_all
from synth.libraries.liberty import Library
from synth.libraries.libraries import load


def measure(design: Design, library: Library, timeout: float = TIMEOUT) -> Area:
    """Synthesise a design and measure it: the one way that every figure is made.

    What has been measured before is not measured again; see :mod:`golden.base.cache`.

    Parameters
    ----------
    design : Design
        Any design, of the catalog or not.
    library : Library
        Its cells; :func:`synth.libraries.libraries.load` reads one by name.
    timeout : float
        Seconds that each run of Yosys or ABC may take.

    Raises
    ------
    InputError
        When the library lacks a cell that is needed.
    ToolError
        When Yosys or ABC is missing, fails or takes too long.
    """
    return measure_all([design], library, timeout=timeout)[0]


def measure_design(name: str) -> dict[str, Any]:
    """Return the area of a catalogued design in the default library, ready for JSON."""
    return as_json(measure(point(name), load()))
