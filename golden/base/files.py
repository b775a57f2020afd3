"""Output files that are whole or not there."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from golden.base.errors import InputError


def make_folder(folder: Path) -> None:
    """Make an output folder with all above it, and see that files can be written there.

    Raises
    ------
    InputError
        When that cannot be done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"cannot write into the folder {folder}: name another")


def require_writable(path: Path) -> None:
    """See before the work that a file can be written after it; make the folder it is in.

    Raises
    ------
    InputError
        When it cannot.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file in it")
    make_folder(path.parent)
    if path.exists() and not os.access(path, os.W_OK):
        raise InputError(f"cannot write {path}: name another file")


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file under another name, then give it its own: no reader sees half of it.

    Raises
    ------
    InputError
        When the file cannot be written; what was there before stays.
    """
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # as if opened: temporary files are for one user
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
