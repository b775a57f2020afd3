"""Liberty files: what a standard-cell library says about its cells.

A reader of the whole syntax and of the few attributes that area and delay need. The parsers on
offer build a tree through a general grammar, which takes minutes on files of 10 MB; one regular
expression per statement takes a second.
"""

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from golden.base.errors import InputError

GZIP = b"\x1f\x8b"
SKIPPED = re.compile(r"(?:[\s;,\\]|/\*.*?\*/|//[^\n]*)+", re.S)
STATEMENT = re.compile(
    r"""
    (?P<close>\})
    | (?P<name>"?[A-Za-z_][\w.]*"?) [ \t]*
      (?: : [ \t]* (?P<value>"[^"]*"|[^;{}"\n]*)
        | \s* \( (?P<arguments>(?:[^()"]|"[^"]*")*) \) \s* (?P<open>\{)?
      )
    """,
    re.X,
)
SEQUENTIAL = {"ff", "ff_bank", "latch", "latch_bank", "statetable"}


@dataclass
class Group:
    """A group of a Liberty file, ``kind (arguments) { ... }``, and where in the text it stands."""

    kind: str
    arguments: list[str]
    attributes: dict[str, str] = field(default_factory=dict)
    groups: list["Group"] = field(default_factory=list)
    start: int = 0
    end: int = 0

    def of(self, kind: str) -> Iterator["Group"]:
        """Yield the groups of one kind."""
        return (group for group in self.groups if group.kind == kind)

    @property
    def name(self) -> str:
        """Its first argument, or an empty text."""
        return self.arguments[0] if self.arguments else ""


def parse(text: str, source: str) -> Group:
    """Return the ``library`` group of a Liberty text.

    Parameters
    ----------
    text : str
        The file's text.
    source : str
        The file's name, for errors.

    Raises
    ------
    InputError
        When it is no Liberty file, is cut short or has a statement that is none.
    """
    root = Group("", [])
    stack = [root]
    position = 0
    while True:
        if skipped := SKIPPED.match(text, position):
            position = skipped.end()
        if position == len(text):
            break
        found = STATEMENT.match(text, position)
        if found is None or (found["close"] and len(stack) == 1):
            line = text.count("\n", 0, position) + 1
            raise InputError(f"{source}, line {line}: no Liberty statement")
        position = found.end()
        _apply(found, stack)
    if len(stack) > 1:
        within = " ".join(f"{group.kind} {group.name}" for group in stack[1:3])
        raise InputError(f"{source} ends within {within}: it is cut short")
    for library in root.of("library"):
        return library
    raise InputError(f"{source} has no library: name a Liberty file")


def _apply(statement: re.Match[str], stack: list[Group]) -> None:
    """Add one statement to the innermost open group, or close that."""
    if statement["close"]:
        stack.pop().end = statement.end()
        return
    name = statement["name"].strip('"')
    if statement["arguments"] is None:
        stack[-1].attributes[name] = statement["value"].strip().strip('"')
    elif statement["open"]:
        arguments = [part.strip(' "\n\t') for part in statement["arguments"].split(",")]
        stack.append(Group(name, arguments, start=statement.start()))
        stack[-2].groups.append(stack[-1])
    else:
        stack[-1].attributes[name] = statement["arguments"]


def numbers(text: str) -> list[float]:
    """Return every number of an attribute such as ``"0.1, 0.2", "0.3"``.

    Raises
    ------
    InputError
        When something else stands there.
    """
    try:
        return [float(part) for part in re.split(r'[\s,"\\]+', text) if part]
    except ValueError as error:
        raise InputError(f"no list of numbers in the cell library: {error}") from None


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell, the library group that it stands in, and the file of that.

    ``avoided`` when the user or the kit's own flow does not want it, whatever the file says.
    """

    group: Group
    library: Group
    source: Path
    avoided: bool = False

    @property
    def name(self) -> str:
        """The cell's name."""
        return self.group.name

    @cached_property
    def area(self) -> float:
        """Area in the library's unit; 0 when the file does not say."""
        return float(self.group.attributes.get("area", 0))

    @cached_property
    def sequential(self) -> bool:
        """Whether it stores something."""
        return any(group.kind in SEQUENTIAL for group in self.group.groups)

    @property
    def usable(self) -> bool:
        """Whether synthesis may choose it."""
        return not self.avoided and self.group.attributes.get("dont_use", "false") != "true"

    def pins(self, direction: str) -> dict[str, Group]:
        """Return the pins of a direction, by name."""
        return {
            pin.name: pin
            for pin in self.group.of("pin")
            if pin.attributes.get("direction") == direction
        }


@dataclass(frozen=True, eq=False)
class Library:
    """The cells of one or several Liberty files.

    Parameters
    ----------
    name : str
        The names that the files give themselves, with + between.
    texts : dict of Path to str
        Each file and what is in it.
    cells : dict of str to Cell
        By name.
    """

    name: str
    texts: dict[Path, str]
    cells: dict[str, Cell]

    @property
    def files(self) -> tuple[Path, ...]:
        """The files, in order."""
        return tuple(self.texts)

    @cached_property
    def avoided(self) -> tuple[str, ...]:
        """The cells that synthesis must not choose."""
        return tuple(sorted(name for name, cell in self.cells.items() if not cell.usable))

    @cached_property
    def digest(self) -> str:
        """A hash of all that a result may depend on, wherever the files are."""
        whole = hashlib.sha256()
        for text in (*self.texts.values(), *self.avoided):
            whole.update(hashlib.sha256(text.encode()).digest())
        return whole.hexdigest()


def read(files: Sequence[Path], avoid: Sequence[str] = ()) -> Library:
    """Read the cells of Liberty files, gzipped or not.

    Parameters
    ----------
    files : sequence of Path
        One file, or the parts of a library that comes in several.
    avoid : sequence of str
        Patterns such as ``*_probe*`` of cells that synthesis must not choose.

    Raises
    ------
    InputError
        When a file cannot be read, is no Liberty file, or brings no cell with an area.
    """
    cells: dict[str, Cell] = {}
    texts = {path: text_of(path) for path in files}
    names = []
    for path, text in texts.items():
        library = parse(text, path.name)
        names.append(library.name)
        for group in library.of("cell"):
            avoided = any(fnmatchcase(group.name, pattern) for pattern in avoid)
            cells[group.name] = Cell(group, library, path, avoided)
    try:
        useful = max((cell.area for cell in cells.values()), default=0) > 0
    except ValueError as error:
        raise InputError(f"{', '.join(names)}: an area is no number: {error}") from None
    if not useful:
        raise InputError(f"{', '.join(str(path) for path in files)}: no cell has an area")
    return Library("+".join(names), texts, cells)


def text_of(path: Path) -> str:
    """Return the text of a file that may be gzipped.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if raw[:2] == GZIP else raw).decode("utf-8", "replace")
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot read the cell library {path}: {reason}") from None
