"""Look-ups by name: what is not there is refused with what the user may have meant."""

import difflib
from collections.abc import Collection, Mapping
from typing import TypeVar

from golden.base.errors import InputError

T = TypeVar("T")
SHOWN = 6  # names in a sentence; where there are more, it says so


def near(name: str, names: Collection[str]) -> str:
    """Return the end of a sentence that names what the user may have meant."""
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f"; near are {', '.join(close)}"
    return f"; there are {some(names)}" if names else "; there is none at all"


def some(names: Collection[str]) -> str:
    """Return names for a sentence: all of a few, or the first and how many there are."""
    shown = ", ".join(list(names)[:SHOWN])
    return shown if len(names) <= SHOWN else f"{len(names)}, such as {shown}"


def lookup(
    kind: str, name: str, table: Mapping[str, T], where: str = "", owner: object = None
) -> T:
    """Return what a table has under a name.

    Parameters
    ----------
    kind : str
        What the table holds, as a sentence says it: "recipe".
    name : str
    table : mapping
    where : str
        Command or option that lists all names, if there is one.
    owner : object
        What the table belongs to, such as the path of a file.

    Raises
    ------
    InputError
        If there is nothing of that name; the text has the names that come near.
    """
    require_name(kind, name, table, where, owner)
    return table[name]


def require_name(
    kind: str, name: str, names: Collection[str], where: str = "", owner: object = None
) -> None:
    """Raise the :class:`InputError` of :func:`lookup` unless the name is among the names."""
    if name not in names:
        listing = f" (`{where}` lists all)" if where else ""
        none = f"{owner} has no" if owner else "there is no"
        raise InputError(f"{none} {kind} {name!r}{near(name, names)}{listing}")


def with_part(kind: str, part: str, names: Collection[str]) -> list[str]:
    """Return the names with ``part`` in them.

    Raises
    ------
    InputError
        If there is none.
    """
    found = [name for name in names if part in name]
    if not found:
        raise InputError(f"no {kind} has {part!r} in its name; there are {some(names)}")
    return found
