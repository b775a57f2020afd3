"""What becomes of a command's figures: a table first, then the file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from golden.base.errors import InputError
from golden.base.files import require_writable, write_whole

STANDARD_OUTPUT = Path("-")


def require_json(path: Path | None) -> None:
    """See before the work that figures can be written after it."""
    if path != STANDARD_OUTPUT:
        require_writable(path)


def write_json(path: Path | None, figures: Any) -> None:
    """Write figures as JSON, if it is asked for."""
    text = json.dumps(figures, indent=2)
    if path == STANDARD_OUTPUT:
        typer.echo(text)
    elif path:
        write_whole(path, text + "\n")


def deliver(path: Path | None, figures: Any, show: Callable[[], object]) -> None:
    """Print the table, then write the JSON: a full disk takes no table away.

    Parameters
    ----------
    path : Path or None
        File of the JSON; ``-`` prints it in place of the table.
    figures : Any
        What JSON can hold.
    show : callable
        Prints the table.
    """
    if path != STANDARD_OUTPUT:
        show()
    write_json(path, figures)


def read_kept(path: Path, command: str, column: str) -> list[dict[str, Any]]:
    """Return the rows that a command's ``--json`` wrote.

    Raises
    ------
    InputError
        If the file cannot be read, or holds no rows with such a column.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
    if not isinstance(rows, list) or not all(isinstance(r, dict) and column in r for r in rows):
        raise InputError(f"{path} is not what `{command} --json` writes")
    return rows
