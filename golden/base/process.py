"""Child processes that never outlive this one, and limits on the processors' time that they take.

A busy machine does not make them fail: only a process that does nothing at all, nor any that it
started, is measured by the clock on the wall. It hangs, or waits for what never comes.
"""

import contextlib
import os
import resource
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from golden.base.errors import ToolError

POLL_SECONDS = 0.1
LOOK_SECONDS = 0.5  # between two looks at how much was used: they cost some milliseconds
IDLE_SECONDS = 180.0  # without any processor time, then it hangs
STEP = 0.05  # seconds of work that are a sign of life
TICKS = os.sysconf("SC_CLK_TCK")

# A child has a session of its own, so that what it starts can be ended with it; for that reason
# no signal of the terminal reaches it. The shell that becomes the child leaves a watcher in its
# group: that reads from a pipe whose other end is ours, and so wakes up when we end, however.
WATCHED = '(read -r _ <"/dev/fd/$0"; kill -s KILL -- "-$$") >/dev/null 2>&1 & exec "$@"'

_running: set[subprocess.Popen[Any]] = set()


class OutOfTimeError(ToolError):
    """A tool took longer than it was given."""


@contextlib.contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen]:
    """Start a program; at the end of the block, it and all that it started are ended.

    Parameters
    ----------
    command : sequence of str
        The program and its arguments.
    **options
        As for :class:`subprocess.Popen`.
    """
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", WATCHED, str(reading), *command],
            pass_fds=(reading,),
            start_new_session=True,
            **options,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                end(process)
                process.communicate()
    finally:
        os.close(writing)
        os.close(reading)


def end(process: subprocess.Popen) -> None:
    """Kill a child and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def end_on_signals() -> None:
    """Let SIGTERM and SIGHUP end this process as Ctrl-C does: children ended, folders gone."""

    def leave(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays nohup
            signal.signal(number, leave)


def run_limited(
    command: list[str],
    *,
    over: str,
    limit: float,
    idle: float | None = None,
    text: str | None = None,
    watch: Callable[[], None] | None = None,
    **options: Any,
) -> tuple[int, str]:
    """Run a program; return its status and what it printed, empty unless ``stdout`` is a pipe.

    Parameters
    ----------
    command : list of str
        The program and its arguments.
    over : str
        What the error says when the time is over.
    limit : float
        Seconds of the processors' time for the program and all that it starts.
    idle : float, optional
        Seconds in which none of them uses any, ``IDLE_SECONDS`` by default.
    text : str, optional
        What it reads.
    watch : callable, optional
        Called about ten times a second meanwhile.
    **options
        As for :class:`subprocess.Popen`.

    Raises
    ------
    OutOfTimeError
        When a limit is reached; then nothing of it runs any more.
    """
    stdin = subprocess.DEVNULL if text is None else subprocess.PIPE
    with started(command, stdin=stdin, text=True, errors="replace", **options) as process:
        _limit_cpu(process.pid, limit)
        _running.add(process)
        clock = WorkClock(process.pid, limit, IDLE_SECONDS if idle is None else idle)
        try:
            while True:
                try:
                    printed, _ = process.communicate(text, timeout=POLL_SECONDS)
                except subprocess.TimeoutExpired:
                    text = None  # what is not yet read of it is kept
                    if watch:
                        watch()
                    if clock.is_over():
                        raise OutOfTimeError(over) from None
                else:
                    return process.returncode, printed or ""
        finally:
            _running.discard(process)


def _limit_cpu(pid: int, limit: float) -> None:
    """Let the system end a process itself, somewhat later, should this one be gone by then."""
    most = int(limit) + 60
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_CPU, (most, most))


def stop_all() -> None:
    """Kill every tool that runs in another thread of this process; its run then fails."""
    for process in list(_running):
        end(process)


class WorkClock:
    """Says whether a process and all that it started have had their time.

    Parameters
    ----------
    pid : int
        The process.
    limit : float
        Seconds of the processors' time, from now on.
    idle : float
        Seconds on the wall in which none is used.
    """

    def __init__(self, pid: int, limit: float, idle: float) -> None:
        self._pid, self._limit, self._idle = pid, limit, idle
        self._before = self._used = work_seconds(pid)
        self._looked = self._worked = time.monotonic()

    def is_over(self) -> bool:
        """Return whether one of the limits is reached; looks seldom."""
        now = time.monotonic()
        if now - self._looked < min(LOOK_SECONDS, self._limit):
            return False
        self._looked = now
        used = work_seconds(self._pid)
        if abs(used - self._used) >= STEP:
            self._used, self._worked = used, now
        return used - self._before > self._limit or now - self._worked > self._idle


def work_seconds(pid: int) -> float:
    """Return the processors' seconds that a process and its descendants, living or dead, took."""
    children: dict[int, list[int]] = defaultdict(list)
    ticks: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):  # it has just ended
                # After the name in parentheses: state, parent, ... 12th to 15th: its own time
                # and that of children it waited for.
                fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
                children[int(fields[1])].append(int(folder.name))
                ticks[int(folder.name)] = sum(map(int, fields[11:15]))
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        total += ticks.get(one, 0)
        waiting += children[one]
    return total / TICKS
