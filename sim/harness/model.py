"""Verilator's model of a design with a C++ program around it, built."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from golden.base.errors import ToolError
from golden.base.process import run_limited
from sim.kit.builds import keep, see, whole_build
from sim.kit.simulators import control_file
from sim.kit.tools import verilator_environment

BUILD_SECONDS = 1800  # of the processors' time


def build_model(
    folder: Path,
    verilog: str,
    top: str,
    program: Path,
    *,
    prefix: str,
    defines: Sequence[str] = (),
    level: str = "-O1",
    limit: float = BUILD_SECONDS,
) -> Path:
    """Build a program around the model of a design; return it.

    Parameters
    ----------
    folder : Path
        Where. Two builds must not share one. What it holds already is not built again.
    verilog : str
        The design.
    top : str
        Its top module.
    program : Path
        The C++ source, which includes ``<prefix>.h``. Headers of its own are looked for in
        ``folder``.
    prefix : str
        Name of the model's class.
    defines : sequence of str
        The compiler's options.
    level : str
        How hard it optimises: for what runs for some seconds, ``-O1`` is soonest done.
    limit : float
        Seconds of the processors' time.

    Raises
    ------
    ToolError
        When Verilator is missing, does not build the model or takes too long.
    """
    environment = os.environ | verilator_environment()
    if shutil.which("ccache"):
        environment["OBJCACHE"] = "ccache"
    source, control = folder / f"{top}.v", folder / f"{top}.vlt"
    for path, text in ((source, verilog), (control, control_file(verilog))):
        keep(path, text)
    command = [
        str(Path(environment["VERILATOR_ROOT"], "bin", "verilator")),
        *("--cc", "--exe", "--build", "-j", "0", "-O3", "-Wno-fatal", "-Wno-WIDTH"),
        *("--prefix", prefix, "--top-module", top, "--Mdir", str(folder)),
        *("-CFLAGS", " ".join(["-O2", "-std=c++20", f"-I{folder}", *defines])),
        # The wheel was configured without the flag that makes g++ read a precompiled header.
        *("-MAKEFLAGS", f"CFG_CXXFLAGS_PCH_I=-include OPT_FAST={level} PYTHON3={sys.executable}"),
        *(str(control), str(source), str(program), "-o", program.stem),
    ]
    log = folder / "build.log"
    with whole_build(folder), log.open("w", encoding="utf-8") as file:
        status, _ = run_limited(
            command,
            over=f"build of {top}: not done at the time limit, stopped; see {log}",
            limit=limit,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        if status:
            raise ToolError(f"build of {top}: Verilator ended with status {status}; {see(log)}")
    return folder / program.stem
