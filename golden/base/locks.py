"""One run at a time in a build folder: a second one waits for the first."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from golden.base.files import make_folder

_held: set[Path] = set()


@contextmanager
def alone_in(folder: Path) -> Iterator[Path]:
    """Keep other processes out of a folder for a while; make it if it is not there.

    Runs of one design share a folder, so that what is built is not built again: without this,
    each would read the other's layer. Within one process the block may be entered again. The
    system ends the wait when the process that holds the folder ends, however that happens.
    """
    place = make_folder(folder).resolve()
    if place in _held:
        yield folder
        return
    with open(place.with_name(f"{place.name}.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _held.add(place)
        try:
            yield folder
        finally:
            _held.discard(place)
