"""Build folders: what has not changed is not built again, but what was broken off is."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MARK = "unfinished"
# What compilers write, and what says of it that it is up to date; programs have no suffix.
PRODUCTS = (".o", ".a", ".gch", ".d", ".dat")


def keep(path: Path, text: str) -> Path:
    """Write ``text`` unless it stands there: what has not changed is not built again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def whole_build(folder: Path) -> Iterator[None]:
    """Begin a build anew if the last one in the folder was broken off.

    Whoever kills a build leaves files that are cut short, and newer than their sources: the next
    one would take them for whole.
    """
    mark = folder / MARK
    if mark.exists():
        for path in folder.iterdir():
            program = not path.suffix and path.is_file() and os.access(path, os.X_OK)
            if program or path.suffix in PRODUCTS:
                path.unlink()
    mark.touch()
    yield
    mark.unlink()


def see(log: Path) -> str:
    """Return where a failed tool's reason stands; an empty log is what a full disk leaves."""
    if log.exists() and log.stat().st_size:
        return f"see {log}"
    return f"{log} is empty: is there room on its disk?"
