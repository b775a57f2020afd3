"""What synthesis needs from outside, and where the default cell library is."""

import os
from pathlib import Path

from golden.base.errors import ToolError
from golden.base.tools import Tool, python_package

LIBERTY_PACKAGE = "qflow-tech-osu018"
LIBERTY_FILE = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
LIBERTY_VARIABLE = "KLLM_LIBERTY"


def default_liberty() -> Path:
    """Return the cell library that is used when none is named.

    Returns
    -------
    Path
        The file that the environment variable ``KLLM_LIBERTY`` names, or else OSU 0.18 µm.

    Raises
    ------
    ToolError
        When it cannot be read.
    """
    own = os.environ.get(LIBERTY_VARIABLE)
    path = Path(own) if own else LIBERTY_FILE
    if os.access(path, os.R_OK) and path.is_file():
        return path
    if own:
        raise ToolError(
            f"{LIBERTY_VARIABLE} names {own}, which is no readable file: mend it or unset it"
        )
    raise ToolError(
        f"no cell library at {path}: run `apt-get install {LIBERTY_PACKAGE}`, or name a file"
        " with --liberty"
    )


def requirements() -> list[Tool]:
    """Return what synthesis needs, as found."""
    try:
        version, problem = default_liberty().name, ""
    except ToolError as error:
        version, problem = "", str(error)
    return [
        python_package("pyosys", purpose="Verilog and synthesis", minimum="0.70"),
        Tool(
            name="cell library",
            purpose="area and delay",
            get=f"apt-get install {LIBERTY_PACKAGE}",
            version=version,
            problem=problem,
        ),
    ]
