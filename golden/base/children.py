"""Child processes that never outlive this one, with all that they start."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

# A child has a session of its own, so that what it starts can be ended with it; for that reason
# no signal of the terminal reaches it. The shell that becomes the child leaves a watcher in its
# group: that reads from a pipe whose other end is ours, and so wakes up when we end, however.
WATCHED = '(read -r _ <"/dev/fd/$0"; kill -s KILL -- "-$$") >/dev/null 2>&1 & exec "$@"'


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
