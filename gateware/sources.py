"""Which Python files a design's RTL comes from: while they stay as they are, so does the RTL."""

import ast
import hashlib
import importlib.metadata
import sys
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path

from gateware.design import Design

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("golden", "hw", "gateware")
# What turns any component into RTLIL.
ALWAYS = ("gateware.design", "gateware.emit", "hw.stream.share")
# What else components read: which registers a chip has.
DATA = "*.rdl"


def source_digest(design: Design) -> str | None:
    """Return a hash of all that a design's RTL depends on, without elaborating it.

    Parameters
    ----------
    design : Design
        One whose ``make`` is a ``functools.partial`` of a class or function of this project.

    Returns
    -------
    str or None
        None when ``make`` is anything else, a closure for instance: that may hold anything.
    """
    make = design.make
    if not isinstance(make, partial) or not _is_ours(make.func):
        return None
    values = [*make.args, *make.keywords.values()]
    starts = {make.func.__module__, *(type(value).__module__ for value in values), *ALWAYS}
    whole = hashlib.sha256()
    whole.update(f"{importlib.metadata.version('amaranth')} {sys.version_info}".encode())
    whole.update(f"{design.name} {make.func.__qualname__} {make.args} {make.keywords}".encode())
    ours = reached({start for start in starts if start.startswith(FOLDERS)})
    whole.update(files_digest([*ours, *(ROOT / "hw").rglob(DATA)]).encode())
    return whole.hexdigest()


def files_digest(paths: Iterable[Path]) -> str:
    """Return a hash of files of the project and of their names."""
    whole = hashlib.sha256()
    for path in sorted(paths):
        whole.update(f"{path.relative_to(ROOT)}\0".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def _is_ours(function: object) -> bool:
    module = getattr(function, "__module__", "")
    name = getattr(function, "__qualname__", "<")
    return module.split(".")[0] in FOLDERS and "<" not in name


def reached(starts: set[str]) -> set[Path]:
    """Return the files of modules and of all modules of the project that they import."""
    found: set[Path] = set()
    waiting = [path for start in starts for path in _files_of(start)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imports(path)
    return found


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    """Return the files of the project that a file imports, anywhere in it."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return tuple(dict.fromkeys(found for name in names for found in _files_of(name)))


def _files_of(module: str) -> list[Path]:
    """Return a module's file, and those of the packages that it is in."""
    parts = module.split(".")
    if parts[0] not in FOLDERS:
        return []
    packages = [ROOT.joinpath(*parts[:n], "__init__.py") for n in range(1, len(parts) + 1)]
    own = ROOT.joinpath(*parts).with_suffix(".py")
    return [path for path in (*packages, own) if path.is_file()]
