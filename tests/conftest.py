"""What several tests start from."""

from collections.abc import Callable

import pytest

from golden.base.errors import ToolError
from sim.kit.tools import require_icarus, verilator_root
from synth.libraries.liberty import Library, read
from synth.libraries.tools import LIBERTY_FILE, LIBERTY_PACKAGE


@pytest.fixture(scope="session")
def library() -> Library:
    """Return the installed cell library, OSU 0.18 um."""
    if not LIBERTY_FILE.is_file():
        pytest.skip(f"no {LIBERTY_FILE}: install {LIBERTY_PACKAGE}")
    return read([LIBERTY_FILE])


@pytest.fixture
def needs() -> Callable[[str], None]:
    """Return a function that skips the test when a simulator is not there, and says why."""

    def require(simulator: str) -> None:
        try:
            verilator_root() if simulator == "verilator" else require_icarus()
        except ToolError as error:
            pytest.skip(str(error))

    return require
