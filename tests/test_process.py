"""Limits of work: what burns time or hangs is stopped, what waits for its turn is not."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from golden.base.process import OutOfTimeError, WorkClock, run_limited, stop_all

ROOT = Path(__file__).resolve().parent.parent
BURN = "import time\nwhile time.process_time() < {}: pass\n"


def python(program: str, **options) -> tuple[int, str]:
    return run_limited(
        [sys.executable, "-c", program], over="over", stdout=subprocess.PIPE, **options
    )


def test_status_and_text_are_returned() -> None:
    echo = "import sys; print(sys.stdin.read()[::-1]); sys.exit(7)"
    assert python(echo, limit=30, text="x" * 100_000 + "y") == (7, "y" + "x" * 100_000 + "\n")


def test_work_of_children_counts() -> None:
    text = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN.format(60)!r}])"
    with pytest.raises(OutOfTimeError, match="over"):
        python(text, limit=1)  # the first one only waits


def test_who_works_a_little_is_not_idle() -> None:
    """Ten seconds' sleep, a little work in between, with a limit of three idle seconds."""
    text = "import time\nfor n in range(1, 6):\n  time.sleep(1)\n"
    text += "  while time.process_time() < n * 0.3: pass\n"
    assert python(text, limit=60, idle=3) == (0, "")
    with pytest.raises(OutOfTimeError):
        python("import time; time.sleep(60)", limit=60, idle=1.5)


def test_all_can_be_stopped() -> None:
    status, _ = python("import time; time.sleep(60)", limit=60, watch=stop_all)
    assert status < 0


def test_clock_measures_from_its_start() -> None:
    started = time.process_time()
    clock = WorkClock(os.getpid(), 1, 60)
    assert not clock.is_over()
    while time.process_time() < started + 2:
        pass
    assert clock.is_over()


@pytest.mark.parametrize(("waits", "most"), [("while True: pass", 2), ("time.sleep(99)", 300)])
def test_tests_have_limits_of_work(tmp_path: Path, waits: str, most: int) -> None:
    """The conftest here with small limits, on a test that never ends."""
    text = (ROOT / "tests" / "conftest.py").read_text()
    text = text.replace("TEST_SECONDS = 300", f"TEST_SECONDS = {most}")
    text = text.replace("\nIDLE_SECONDS = 300", "\nIDLE_SECONDS = 3")
    (tmp_path / "conftest.py").write_text(text)
    (tmp_path / "test_it.py").write_text(f"import time\ndef test_it():\n    {waits}\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"worked for more than {most} s, or not at all for 3 s" in done.stdout
