"""The syntax of Liberty files: a reader, and a writer whose text every tool takes alike.

Yosys, ABC and OpenSTA each stumble over something that others accept: comments within statements,
lines that end in CR, escaped quotes, values that are neither words nor numbers. So no tool gets a
file as it is, but what this reader made of it. The parsers on offer build a tree through a general
grammar, which takes minutes on files of 10 MB; one regular expression per statement takes a second.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from golden.base.errors import InputError

# Strings come first: what looks like a comment within one is none.
NOISE = re.compile(r'"(?:[^"\\]|\\.)*+"|/\*.*?\*/|//[^\n]*|\\[ \t]*\n?|\n', re.S)
MISREAD = re.compile(r"[\\\n{}]|//|/\*|\*/")  # ABC looks for braces and comments in strings, too
GAP = re.compile(r"[\s;,]*")
STATEMENT = re.compile(
    r"""
    (?P<close>\})
    | (?P<name>"?[A-Za-z_][\w.]*"?) \s*
      (?: : \s* (?P<value>"[^"]*"|[^;{}"\n]*)
        | \( (?P<arguments>(?:[^()"]++|"[^"]*+")*+) \) \s* (?P<open>\{)?
      )
    """,
    re.X,
)
ARGUMENT = re.compile(r'\s*("[^"]*"|[^,"]*)\s*,?')
WORD = re.compile(r"[A-Za-z_]\w*|[-+]?\d+(\.\d*)?([eE][-+]?\d+)?", re.A)
NUMBERS = re.compile(r"values|index_\d+")
NO_NUMBER = re.compile(r'[^\d\s.,+\-eE"]')
DEEPEST = 50  # groups within groups; real files have six


@dataclass(frozen=True, slots=True)
class Statement:
    """An attribute as it is written for tools, and the line that it has in its file."""

    line: int
    name: str
    text: str


@dataclass(eq=False)
class Group:
    """A group of a Liberty file, ``kind (arguments) { ... }``.

    ``attributes`` has the last value of each name, ``body`` all statements and groups in order.
    """

    kind: str
    arguments: list[str]
    line: int = 1
    attributes: dict[str, str] = field(default_factory=dict)
    body: list["Statement | Group"] = field(default_factory=list)

    @property
    def groups(self) -> Iterator["Group"]:
        """The groups in it."""
        return (part for part in self.body if isinstance(part, Group))

    def of(self, kind: str) -> Iterator["Group"]:
        """Yield the groups of one kind."""
        return (group for group in self.groups if group.kind == kind)

    @property
    def name(self) -> str:
        """Its first argument, or an empty text."""
        return self.arguments[0] if self.arguments else ""


def clean(text: str) -> str:
    """Return a Liberty text without comments and continued lines, each line where it was.

    Line ends become LF, a string one line without what some tool would misread in it.
    """
    owed = 0  # line ends that were taken out: they follow the next one that stays

    def replaced(found: re.Match[str]) -> str:
        nonlocal owed
        noise = found[0]
        if noise == "\n":
            due, owed = 1 + owed, 0
            return "\n" * due
        owed += noise.count("\n")
        if noise[0] != '"':
            return " "
        return noise if MISREAD.search(noise) is None else f'"{_plain(noise[1:-1])}"'

    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return NOISE.sub(replaced, plain) + "\n" * owed


def _plain(string: str) -> str:
    """Return what is in a string, its quotes single, without line ends, braces and comments."""
    joined = re.sub(r"\\[ \t]*\n|\n", " ", string)
    joined = joined.replace('\\"', "'").replace("\\", "")
    return re.sub(r"[{}]|/(?=[/*])|(?<=\*)/", " ", joined)


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
        When it is no Liberty file, is cut short, has a statement that is none, or several
        libraries.
    """
    text = clean(text)
    stack = [Group("", [])]
    position, line, counted = 0, 1, 0
    while True:
        gap = GAP.match(text, position)
        position = gap.end() if gap else position
        line, counted = line + text.count("\n", counted, position), position
        if position == len(text):
            break
        found = STATEMENT.match(text, position)
        if found is None or (found["close"] and len(stack) == 1) or len(stack) > DEEPEST:
            raise InputError(f"{source}, line {line}: no Liberty statement")
        position = found.end()
        try:
            _apply(found, stack, line)
        except ValueError as error:
            raise InputError(f"{source}, line {line}: {error}") from None
    if len(stack) > 1:
        within = " ".join(f"{group.kind} {group.name}" for group in stack[1:3])
        raise InputError(f"{source} ends within {within}: it is cut short")
    libraries = list(stack[0].of("library"))
    if len(libraries) != 1:
        held = f"{len(libraries)} libraries" if libraries else "no library"
        raise InputError(f"{source} has {held}: name a Liberty file with one")
    return libraries[0]


def _apply(statement: re.Match[str], stack: list[Group], line: int) -> None:
    """Add one statement to the innermost open group, or close that."""
    if statement["close"]:
        stack.pop()
        return
    name, group = statement["name"].strip('"'), stack[-1]
    arguments = statement["arguments"]
    if arguments is None:
        value = statement["value"].strip()
        group.attributes[name] = value.strip('"').strip()
        group.body.append(Statement(line, name, f"{name} : {_written(value)};"))
        return
    if name == "include_file":
        raise ValueError("include_file is not followed: put the files together, or name them all")
    if NUMBERS.fullmatch(name):
        text = " ".join(arguments.split())
        if NO_NUMBER.search(text):
            raise ValueError(f"{name} is no list of numbers: {text[:40]}")
        group.attributes[name] = text
        group.body.append(Statement(line, name, f"{name} ({text});"))
        return
    parts = [part.strip() for part in ARGUMENT.findall(arguments) if part.strip()]
    if statement["open"]:
        inner = Group(name, [part.strip('" ') for part in parts], line)
        group.body.append(inner)
        stack.append(inner)
    else:
        group.attributes[name] = arguments
        text = ", ".join(map(_written, parts))
        group.body.append(Statement(line, name, f"{name} ({text});"))


def _written(value: str) -> str:
    """Return a value as every tool reads it: in quotes unless it is a word or a number."""
    return value if value[:1] == '"' or WORD.fullmatch(value) else f'"{value}"'


def write(library: Group, cells: Mapping[str, str] | None = None) -> str:
    """Return a library as text, each statement on the line that it came from.

    Parameters
    ----------
    library : Group
        The library's group.
    cells : mapping of str to str, optional
        The cells to keep and what to call each; by default all by their names.
    """
    pieces: list[str] = []
    line = 1

    def put(text: str, at: int) -> None:
        nonlocal line
        pieces.append("\n" * (at - line) or " ")
        pieces.append(text)
        line = max(line, at)

    def put_group(group: Group) -> None:
        names = [cells[group.name]] if cells and group.kind == "cell" else group.arguments
        put(f"{group.kind} ({', '.join(map(_written, names))}) {{", group.line)
        for part in group.body:
            if isinstance(part, Statement):
                put(part.text, part.line)
            elif cells is None or part.kind != "cell" or part.name in cells:
                put_group(part)
        put("}", line)

    put_group(library)
    return "".join(pieces) + "\n"


def number(text: str) -> float:
    """Return a finite number.

    Raises
    ------
    ValueError
        When it is none.
    """
    value = float(text)
    if not math.isfinite(value) or "_" in text:
        raise ValueError(f"no finite number: {text!r}")
    return value


def numbers(text: str) -> list[float]:
    """Return every number of an attribute such as ``"0.1, 0.2", "0.3"``.

    Raises
    ------
    InputError
        When something else stands there.
    """
    try:
        return [number(part) for part in re.split(r'[\s,"]+', text) if part]
    except ValueError as error:
        raise InputError(f"no list of numbers in the cell library: {error}") from None
