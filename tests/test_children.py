"""Children end with their parent, whatever ends that."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# A tool of each kind that runs long: Yosys with a child of its own, and any program.
TOOLS = {
    "yosys": "from gateware.yosys import run_yosys\n"
    "run_yosys(folder, ['exec -- sleep 61.25'], task='a trial', timeout=60)",
    "tool": "from gateware.yosys import run_tool\n"
    "run_tool(['sh', '-c', 'sleep 61.25; true'], '', folder, 'sh', 'a trial', 60)",
    "simulator": "from golden.base.process import started\n"
    "with started(['sh', '-c', 'sleep 61.25 & wait']) as process: process.wait()",
}
PARENT = """
import signal, tempfile
from pathlib import Path
from golden.base.process import end_on_signals
# What runs the tests may ignore these, and what is ignored is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
end_on_signals()
with tempfile.TemporaryDirectory(prefix="kllm-", dir={place!r}) as scratch:
    folder = Path(scratch)
    {body}
"""


def sleeping(marker: str) -> list[int]:
    """Return the sleeps below a parent that has this in its environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            ours = f"KLLM_MARK={marker}".encode() in (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if ours and words[:1] == [b"sleep"]:
            found.append(int(entry.name))
    return found


def until(condition, seconds: float = 120.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("tool", TOOLS)
def test_children_end_with_their_parent(tool: str, number: signal.Signals, tmp_path: Path) -> None:
    body = TOOLS[tool].replace("\n", "\n    ")
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(place=str(tmp_path), body=body)],
        env={**os.environ, "KLLM_MARK": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    try:
        assert until(lambda: sleeping(str(tmp_path))), "the tool never started"
        parent.send_signal(number)
        parent.wait(120)
        assert until(lambda: not sleeping(str(tmp_path))), "a child lives on"
    finally:
        parent.kill()
        for pid in sleeping(str(tmp_path)):
            os.kill(pid, signal.SIGKILL)
    if number != signal.SIGKILL:
        assert not list(tmp_path.iterdir())
        assert parent.returncode
