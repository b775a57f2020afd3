"""The command ``kllm accuracy``."""

from typing import Any

import typer

from kllm.options import Json, Kept, Markdown
from kllm.results import STANDARD_OUTPUT, deliver, read_kept, require_json, write_json

EXAMPLES = """
Examples:

kllm accuracy --json docs/accuracy.json  -  measure all, in about an hour

kllm accuracy --from docs/accuracy.json --markdown  -  what was measured, as docs/accuracy.md has it
"""


def command(kept: Kept = None, as_markdown: Markdown = False, json_file: Json = None) -> None:
    """Compare the accuracy of this project's forms with integers, the baselines, and the floor.

    MiniLM with two seeds and the language model with one, with standard errors. The floor is what
    weights of 4 bits alone lose: no engine runs it. What each column means, and any row alone:
    kllm eval. The JSON file is written anew after each row.
    """
    from golden.accuracy.comparison import compare, markdown
    from golden.accuracy.evaluations import EVALUATIONS

    require_json(json_file)

    def keep(rows: list[dict[str, Any]]) -> None:
        if json_file != STANDARD_OUTPUT:
            write_json(json_file, rows)

    rows = read_kept(kept, "kllm accuracy", "minilm") if kept else compare(EVALUATIONS, keep)
    deliver(json_file, rows, lambda: typer.echo(markdown(rows)) if as_markdown else _show(rows))


def _show(rows: list[dict[str, Any]]) -> None:
    from golden.accuracy.comparison import HEADINGS, cells
    from golden.base.console import console, table

    shown = table(*HEADINGS)
    for row in rows:
        shown.add_row(*cells(row))
    console().print(shown)
