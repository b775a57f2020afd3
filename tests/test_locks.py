"""Runs that share a build folder come one after another."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from golden.base.locks import alone_in

HOLD = """
import sys, time
from pathlib import Path
from golden.base.locks import alone_in
with alone_in(Path(sys.argv[1])) as folder:
    with alone_in(folder):  # the same process may enter again
        print("in", flush=True)
    time.sleep(float(sys.argv[2]))
    (folder / "done").touch()
"""


@contextmanager
def holding(folder: Path, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """Start a process that holds a folder for so long; go on when it does."""
    command = [sys.executable, "-c", HOLD, str(folder), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "in\n"
        yield process


def test_a_second_run_waits_for_the_first(tmp_path: Path) -> None:
    with holding(tmp_path / "new" / "run", 1.0), alone_in(tmp_path / "new" / "run") as folder:
        assert (folder / "done").exists()


def test_another_folder_is_free(tmp_path: Path) -> None:
    with holding(tmp_path / "one", 60) as first, alone_in(tmp_path / "two"):
        assert first.poll() is None
        first.kill()


def test_a_killed_run_lets_go(tmp_path: Path) -> None:
    with holding(tmp_path / "run", 600) as first:
        first.kill()
        with alone_in(tmp_path / "run") as folder:
            assert not (folder / "done").exists()


def test_a_failed_block_lets_go(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), alone_in(tmp_path / "run"):
        raise ValueError("mine")
    with holding(tmp_path / "run", 0.0):
        pass
