"""The design points that the project builds, simulates and measures.

A name is all that crosses a process boundary: the launcher passes it to the simulator, and
``kllm verilog NAME`` writes its Verilog.
"""

from gateware.design import Design
from golden.errors import InputError
from golden.tensor_file import near

DESIGNS: tuple[Design, ...] = ()
CATALOG = {design.name: design for design in DESIGNS}


def design(name: str) -> Design:
    """Return the design called ``name``.

    Raises
    ------
    InputError
        When there is none; the text has the names that come near.
    """
    if name in CATALOG:
        return CATALOG[name]
    raise InputError(f"no design {name!r}{near(name, CATALOG)}")
