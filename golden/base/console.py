"""What commands print: tables that lose nothing, and what is being done meanwhile."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod
    from rich.table import Table

PIPE_WIDTH = 10_000  # columns of what is no terminal: nothing is cut or wrapped for it


class Say(Protocol):
    """What a command tells of its work."""

    def __call__(self, stage: str, share: float | None = None, detail: str = "") -> None:
        """Say what is being done, which share of it is done, and with what."""
        ...


def console(*, stderr: bool = False) -> "Console":
    """Return where to print: as wide as the terminal, or as wide as need be."""
    from rich.console import Console

    found = Console(stderr=stderr)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = PIPE_WIDTH
    return found


def table(first: str, *numbers: str, title: str = "", numeric: bool = True) -> "Table":
    """Return an empty table: names first, then columns of numbers; nothing of it is ever cut.

    Parameters
    ----------
    first : str
        Title of the column of names.
    numbers : str
        Titles of the others.
    title : str
        Of the table.
    numeric : bool
        Whether the others are numbers, which stand at the right.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Column, Table

    side: JustifyMethod = "right" if numeric else "left"
    return Table(
        Column(first, overflow="fold"),
        *(Column(name, justify=side, overflow="fold") for name in numbers),
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        title=title or None,
        title_justify="left",
    )


def note(text: str) -> None:
    """Print a sentence that explains a table."""
    console().print(text, style="dim", markup=False, highlight=False)


@contextmanager
def working() -> Iterator[Say]:
    """Show on standard error what is being done; give the function to say it with.

    A terminal gets a bar. A file or a pipe gets a line for each stage, so that long work is not
    silent there.
    """
    screen = console(stderr=True)
    if not screen.is_terminal:
        last = ""

        def line(stage: str, share: float | None = None, detail: str = "") -> None:
            nonlocal last
            if stage != last:
                print(stage, file=sys.stderr, flush=True)
            last = stage

        yield line
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(stage: str, share: float | None = None, detail: str = "") -> None:
            text = f"{stage}: {detail}" if detail else stage
            total = None if share is None else 1.0
            bar.update(task, description=text, total=total, completed=share or 0)

        yield show
