"""Output files that are whole or not there, and the folder of everything that is built."""

import io
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from golden.base.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BUILD_VARIABLE = "KLLM_BUILD"
ROOT = Path(__file__).resolve().parents[2]
FORMATS = (".png", ".svg", ".pdf")
# What makes a figure's file another one each time that it is drawn.
DATES = {".svg": "Date", ".pdf": "CreationDate"}
# Names in these folders are no files of their own: /dev/stdout may stand for a regular one, whose
# place no other must take.
SPECIAL = (Path("/dev"), Path("/proc"))


def build_folder(*parts: str) -> Path:
    """Return a folder for what commands make, such as ``build_folder("sim", "tiny-icarus")``.

    It is below the one that ``KLLM_BUILD`` names, or else below ``build``: that of the checkout,
    or of the working folder where the package is installed without one. Nothing is made yet.
    """
    own = os.environ.get(BUILD_VARIABLE)
    checkout = (ROOT / "pyproject.toml").is_file()
    top = Path(own).absolute() if own else (ROOT if checkout else Path.cwd()) / "build"
    return top.joinpath(*parts)


def make_folder(folder: Path) -> Path:
    """Make an output folder with all above it, and see that files can be written there.

    Raises
    ------
    InputError
        When that cannot be done.
    """
    advice = "name another"
    if folder.is_relative_to(build_folder()):
        advice += f" build folder with the variable {BUILD_VARIABLE}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror}; {advice}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"cannot write into the folder {folder}: {advice}")
    return folder


def require_writable(*paths: Path | None) -> None:
    """See before the work that files can be written after it; make the folders they are in.

    Raises
    ------
    InputError
        When one cannot.
    """
    for path in paths:
        if path is None:
            continue
        if path.is_dir():
            raise InputError(f"{path} is a folder; name a file in it")
        if not path.exists():
            make_folder(_target(path).parent)
        elif not os.access(path, os.W_OK):
            raise InputError(f"cannot write {path}: name another file")
        elif not _in_place(path):
            make_folder(_target(path).parent)


def require_plot(path: Path | None) -> None:
    """See before the work that a figure can be written, in the format that its name ends in.

    Raises
    ------
    InputError
        When it cannot.
    """
    if path and path.suffix not in FORMATS:
        raise InputError(f"{path} must end in {', '.join(FORMATS)}: it says the format")
    require_writable(path)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file under another name, then give it its own: no reader sees half of it.

    Where a link leads, the file takes the place of the one it leads to, and it keeps the
    permissions of that. What is no regular file, such as a device or a pipe, is written into.

    Raises
    ------
    InputError
        When the file cannot be written; what was there before stays.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = None
    try:
        if _in_place(path):
            with path.open("ab") as file:
                file.write(data)
            return
        target = _target(path)
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                os.unlink(temporary)


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a figure in the format that the file's name ends in; the same one is the same file."""
    from matplotlib import rc_context

    image, date = io.BytesIO(), DATES.get(path.suffix)
    with rc_context({"svg.hashsalt": "kllm"}):  # of which names in the file are made
        metadata = {date: None} if date else None
        figure.savefig(image, format=path.suffix[1:], dpi=120, metadata=metadata)
    write_whole(path, image.getvalue())


def _in_place(path: Path) -> bool:
    """Whether a path must be written into, for nothing may take its place."""
    if any(path.absolute().is_relative_to(folder) for folder in SPECIAL):
        return True
    return path.exists() and not path.is_file()


def _target(path: Path) -> Path:
    """Return where a path leads, through all links; the last need not be there."""
    return Path(os.path.realpath(path))


def _mode(path: Path) -> int:
    """Return the permissions of a file to come: those it has, or else as if it were opened."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
