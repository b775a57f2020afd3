"""Icarus and Verilator as cocotb starts them: with a time limit, quietly, from a log file."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TextIO

from cocotb_tools.runner import Icarus, Runner, Verilator

from golden.base.errors import InputError, ToolError
from golden.base.process import run_limited
from sim.kit.builds import see
from sim.kit.tools import require_icarus, verilator_environment

MANY, WORTH = 8, 1000  # copies, and characters of Verilog, that are worth a function
SIMULATORS = ("icarus", "verilator")


def choose_simulator(name: str | None = None) -> str:
    """Return ``name``, or what the environment variable SIM says, or Icarus.

    Raises
    ------
    InputError
        If there is no simulator of that name.
    """
    chosen = name or os.environ.get("SIM") or SIMULATORS[0]
    if chosen not in SIMULATORS:
        raise InputError(f"the simulator must be {' or '.join(SIMULATORS)}, got {chosen!r}")
    return chosen


class _Limited(Runner):
    """A runner whose commands end at a limit of work, together with all that they started."""

    task: str
    limit: float  # seconds of the processors' time, for each command
    watch: Callable[[], None] | None
    variables: dict[str, str]

    def _set_env_common(self) -> None:
        super()._set_env_common()
        self.env.update(self.variables)  # last: the process's own would win otherwise

    def _execute_cmds(
        self, cmds: Sequence[list[str]], cwd: os.PathLike | str, stdout: TextIO | None = None
    ) -> None:
        for command in cmds:
            status, _ = run_limited(
                command,
                over=f"{self.task}: not done at the time limit, stopped; see {self.log_file}",
                limit=self.limit,
                watch=self.watch,
                cwd=cwd,
                env=self.env,
                stdout=stdout,
                stderr=None if stdout is None else subprocess.STDOUT,
            )
            if status:
                raise ToolError(
                    f"{self.task}: {Path(command[0]).name} ended with status {status};"
                    f" {see(Path(str(self.log_file)))}"
                )


class LimitedIcarus(_Limited, Icarus):
    """Icarus Verilog."""

    def __init__(self) -> None:
        require_icarus()
        self.variables = {}
        super().__init__()

    def _test_command(self) -> list[list[str]]:
        # Without a waveform, Verilog that calls $dumpvars by itself may do so.
        commands = super()._test_command()
        return [["-vcd" if word == "-none" else word for word in command] for command in commands]


class LimitedVerilator(_Limited, Verilator):
    """The Python package's Verilator, keeping only ports visible."""

    def __init__(self) -> None:
        self.variables = verilator_environment()
        if shutil.which("ccache"):
            self.variables["OBJCACHE"] = "ccache"
        self.optimise = False
        super().__init__()

    def _simulator_in_path_build_only(self) -> None:
        self.executable = str(Path(self.variables["VERILATOR_ROOT"], "bin", "verilator"))

    def _build_command(self) -> list[list[str]]:
        verilate, make = super()._build_command()
        # All signals visible to the bench would stop Verilator from optimising any away. The
        # ports are named in a control file in its place.
        verilate = [word for word in verilate if word != "--public-flat-rw"]
        flags = "-O2" if self.optimise else "-O0"  # what runs for a second need not be fast
        # The wheel was configured without the flag that makes g++ read a precompiled header.
        make += ["CFG_CXXFLAGS_PCH_I=-include"]
        make += [f"OPT_FAST={flags}", f"OPT_GLOBAL={flags}", f"OPT_SLOW={flags[:2]}0"]
        return [verilate, [*make, f"PYTHON3={sys.executable}"]]


def make_runner(simulator: str) -> LimitedIcarus | LimitedVerilator:
    """Return a runner for ``simulator``.

    Raises
    ------
    ToolError
        When it is not installed.
    """
    return LimitedIcarus() if simulator == "icarus" else LimitedVerilator()


def control_file(verilog: str, top: str = "") -> str:
    """Return Verilator's control file for a design.

    Modules of which there are many stay functions of their own: inlined, each copy would be
    compiled and run as code of its own.

    Parameters
    ----------
    verilog : str
        The design.
    top : str, optional
        A module whose ports a bench must reach.
    """
    lines = [f'no_inline -module "{name}"' for name in many(verilog)]
    if top:
        # Escaped where it is a keyword too: `small` is one.
        header = re.search(
            rf"^module (?:{re.escape(top)}|\\{re.escape(top)} )\(([^)]*)\);", verilog, re.M
        )
        if not header:
            raise ValueError(f"no module {top} in the Verilog")
        ports = re.findall(r"\w+", header[1])
        lines += [f'public_flat_rw -module "{top}" -var "{port}"' for port in ports]
    return "\n".join(["`verilator_config", *lines, ""])


def many(verilog: str) -> list[str]:
    """Return the modules of a design of which there are many, but for small ones, as cells are.

    Those with escaped names are left out: a control file has none.
    """
    bodies = dict(re.findall(r"^module (\S+?) ?\(.*?;\n(.*?)^endmodule", verilog, re.M | re.S))
    holders: dict[str, list[str]] = {name: [] for name in bodies}
    for name, body in bodies.items():
        for part in re.findall(r"^  (\S+) +\S+ +\($", body, re.M):
            holders.get(part, []).append(name)

    @cache
    def copies(name: str) -> int:
        return sum(map(copies, holders[name])) if holders[name] else 1

    named = [name for name in bodies if not name.startswith("\\")]
    return [name for name in named if copies(name) >= MANY and len(bodies[name]) >= WORTH]
