"""What several tests start from."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from golden.base.errors import ToolError
from golden.base.process import WorkClock
from sim.kit.tools import require_icarus, verilator_environment, verilator_root
from synth.libraries.liberty import Library, read
from synth.libraries.tools import LIBERTY_FILE, LIBERTY_PACKAGE


@pytest.fixture(scope="session")
def library() -> Library:
    """Return the installed cell library, OSU 0.18 um."""
    if not LIBERTY_FILE.is_file():
        pytest.skip(f"no {LIBERTY_FILE}: install {LIBERTY_PACKAGE}")
    return read([LIBERTY_FILE])


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Return random numbers of a test's own: its name is the seed, whatever ran before it."""
    return np.random.default_rng(list(request.node.nodeid.encode()))


@pytest.fixture
def needs() -> Callable[[str], None]:
    """Return a function that skips the test when a simulator is not there, and says why."""

    def require(simulator: str) -> None:
        try:
            verilator_root() if simulator == "verilator" else require_icarus()
        except ToolError as error:
            pytest.skip(str(error))

    return require


@pytest.fixture
def lint(tmp_path: Path, needs: Callable[[str], None]) -> Callable[[str, str], list[str]]:
    """Return a function that says what Verilator warns of in a text and its top module."""
    needs("verilator")

    def warnings(text: str, top: str) -> list[str]:
        (tmp_path / f"{top}.v").write_text(text)
        environment = verilator_environment()
        program = str(shutil.which("verilator", path=environment["PATH"]))
        command = [program, "--lint-only", "-Wall", "--top-module", top, f"{top}.v"]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=tmp_path
        )
        said = re.findall(r"^%(.*)", done.stderr, re.M)
        return [line for line in said if not line.startswith("Error: Exiting due to")]

    return warnings


TEST_SECONDS = 300  # of the processors' time, of a test and all that it starts
SLOW_SECONDS = 1800  # of a test that `make test` leaves out
FUZZ_SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))  # more, where they are asked for
IDLE_SECONDS = 300  # of the clock on the wall in which none of them does anything
LOOK_SECONDS = 2


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Fail a test that has worked too long or hangs; a busy machine makes none of them fail."""
    most = SLOW_SECONDS if item.get_closest_marker("slow") else TEST_SECONDS
    clock = WorkClock(os.getpid(), most + FUZZ_SECONDS, IDLE_SECONDS)

    def look(*_: object) -> None:
        if clock.is_over():
            signal.setitimer(signal.ITIMER_REAL, 0)
            pytest.fail(f"worked for more than {most} s, or not at all for {IDLE_SECONDS} s")

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, LOOK_SECONDS, LOOK_SECONDS)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
