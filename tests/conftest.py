"""What several tests start from."""

import pytest

from synth.liberty import Library, read
from synth.tools import LIBERTY_FILE, LIBERTY_PACKAGE


@pytest.fixture(scope="session")
def library() -> Library:
    """Return the installed cell library, OSU 0.18 um."""
    if not LIBERTY_FILE.is_file():
        pytest.skip(f"no {LIBERTY_FILE}: install {LIBERTY_PACKAGE}")
    return read([LIBERTY_FILE])
