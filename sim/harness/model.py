"""Verilator's model of a design with a C++ program around it, built."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from golden.base.cache import default_cache, digest
from golden.base.errors import ToolError
from golden.base.files import write_whole
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
    ports: str = "",
    defines: Sequence[str] = (),
    level: str = "-O1",
    limit: float = BUILD_SECONDS,
) -> Path:
    """Build a program around the model of a design; return it.

    One that was built before from the same, anywhere, is taken from the cache
    (:mod:`golden.base.cache`).

    Parameters
    ----------
    folder : Path
        Where. Two builds must not share one. What it holds already is not built again.
    verilog : str
        The design.
    top : str
        Its top module.
    program : Path
        The C++ source, which includes ``<prefix>.h``.
    prefix : str
        Name of the model's class.
    ports : str, optional
        What the source includes as ``ports.h``.
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
    texts = {source: verilog, control: control_file(verilog), folder / "ports.h": ports}
    for path, text in texts.items():
        keep(path, text)
    command = [
        str(Path(environment["VERILATOR_ROOT"], "bin", "verilator")),
        *("--cc", "--exe", "--build", "-j", "0", "-O3", "-Wno-fatal", "-Wno-WIDTH"),
        *("--prefix", prefix, "--top-module", top, "--Mdir", str(folder)),
        *("-CFLAGS", " ".join(["-std=c++20", f"-I{folder}", *defines])),
        # The wheel was configured without the flag that makes g++ read a precompiled header.
        *("-MAKEFLAGS", f"CFG_CXXFLAGS_PCH_I=-include OPT_FAST={level} PYTHON3={sys.executable}"),
        *(str(control), str(source), str(program), "-o", program.stem),
    ]
    built = folder / program.stem

    def build() -> bytes:
        _build(command, folder, top, environment, limit)
        return built.read_bytes()

    key = digest(
        _said(command, folder),
        verilog,
        ports,
        tool_versions(environment["PATH"]),
        *(path.read_bytes() for path in _sources(program, defines)),
    )
    content = default_cache().made("models", key, build, bytes, bytes)
    # Under a name of its own: the other one is that of what make finds beside it.
    found = folder / f"{program.stem}.run"
    if not found.exists() or found.read_bytes() != content:
        write_whole(found, content)
        found.chmod(0o755)
    return found


def _said(command: Sequence[str], folder: Path) -> str:
    """Return the options of a build, without the places of files, which say nothing of them."""
    plain = (one for one in command if not Path(one).is_absolute())
    return " ".join(plain).replace(str(folder), "")


def _sources(program: Path, defines: Sequence[str]) -> list[Path]:
    """Return the program's source and what it may include of the folders that are named."""
    folders = [Path(one[2:]) for one in defines if one.startswith("-I")]
    return [program, *(path for one in folders for path in sorted(one.glob("*.[ch]")))]


@cache
def tool_versions(path: str) -> str:
    """Return what Verilator and the compiler say that they are."""
    return "".join(
        subprocess.run(
            [str(shutil.which(name, path=path)), "--version"], capture_output=True, text=True
        ).stdout
        for name in ("verilator_bin", "g++")
    )


def _build(
    command: list[str], folder: Path, top: str, environment: Mapping[str, str], limit: float
) -> None:
    """Let Verilator build a program."""
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
