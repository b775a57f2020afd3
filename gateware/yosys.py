"""Yosys and its ABC in child processes: an error there must not end this one."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from golden.base.errors import ToolError
from golden.base.process import run_limited
from golden.base.tools import REPAIR, SET_UP

# Yosys ends its process on an error, and may crash: it never runs in ours. One command a line.
CHILD = """
import sys
try:
    from pyosys import libyosys
except ImportError:
    sys.exit(3)
design = libyosys.Design()
for line in sys.stdin:
    libyosys.run_pass(line.rstrip("\\n"), design)
"""
NOT_INSTALLED = 3
NO_PACKAGE = f"the package pyosys is not installed: run `{SET_UP}`"


ABC_FAILED = re.compile(r"Can't open ABC output|^ABC: execution")


def run_yosys(folder: Path, commands: Sequence[str], *, task: str, timeout: float) -> str:
    """Run Yosys commands in ``folder`` and return what was printed.

    Parameters
    ----------
    folder : Path
        Working directory, also for temporary files. Name files relative to it.
    commands : sequence of str
        One command each, no line breaks.
    task : str
        What is being done, for the error's text: ``"writing the Verilog of tiny"``.
    timeout : float
        Seconds of the processors' time after which Yosys and all that it started are killed.

    Raises
    ------
    ToolError
        When Yosys is missing, fails, crashes or takes too long.
    """
    text = "".join(f"{command}\n" for command in commands)
    return run_tool([sys.executable, "-I", "-c", CHILD], text, folder, "Yosys", task, timeout)


def run_abc(folder: Path, commands: Sequence[str], *, task: str, timeout: float) -> str:
    """Run ABC commands in ``folder`` and return what was printed; see :func:`run_yosys`."""
    package = importlib.util.find_spec("pyosys")
    if package is None or not package.submodule_search_locations:
        raise ToolError(NO_PACKAGE)
    program = Path(package.submodule_search_locations[0], "yosys-abc")
    if not program.is_file():
        raise ToolError(f"the package pyosys brings no yosys-abc: {REPAIR}")
    log = run_tool([str(program), "-q", "; ".join(commands)], "", folder, "ABC", task, timeout)
    if found := re.search(r"cmd error: (.*)", log):  # its exit status is 0 all the same
        raise ToolError(f"{task}: ABC says: {found[1]}")
    return log


def run_tool(
    command: list[str], text: str, folder: Path, tool: str, task: str, timeout: float
) -> str:
    """Run a program in ``folder`` and return what it printed.

    Parameters
    ----------
    command : list of str
        The program and its arguments.
    text : str
        What it reads.
    folder, task, timeout
        As for :func:`run_yosys`.
    tool : str
        What its makers call it.

    Raises
    ------
    ToolError
        When it fails, crashes or takes too long: with the last line that says ERROR.
    """
    status, log = run_limited(
        command,
        over=f"{task}: the time was over and {tool} was stopped; allow more",
        limit=timeout,
        text=text,
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if status == NOT_INSTALLED:
        raise ToolError(NO_PACKAGE)
    if status:
        raise ToolError(f"{task}: {tool} {_reason(status, log)}")
    return log


def _reason(status: int, log: str) -> str:
    """Say why a tool failed: its last error line, or the signal that ended it."""
    errors = re.findall(r"^.*\bERROR: (.*)$", log, re.M)
    # Yosys only misses what its ABC did not write; ABC has said why, after the command's echo.
    by_abc = re.findall(r"^ABC: (?!ABC command line|\+ |\*\* cmd error|\s*$)(.*)$", log, re.M)
    if errors and ABC_FAILED.search(errors[-1]) and by_abc:
        return f"says by its ABC: {by_abc[-1]}"
    if errors:
        return f"says: {errors[-1]}"
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
