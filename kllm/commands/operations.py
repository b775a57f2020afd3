"""The command ``kllm operations``."""

from typing import Any

import typer

from kllm.options import Json, Kept, Markdown
from kllm.results import STANDARD_OUTPUT, deliver, read_kept, require_json, write_json

EXAMPLES = """
Examples:

kllm operations --json docs/operations.json  -  measure, in about half an hour

kllm operations --from docs/operations.json --markdown  -  what docs/nonlinear.md has
"""


def command(kept: Kept = None, as_markdown: Markdown = False, json_file: Json = None) -> None:
    """Measure what nonlinear operations on indices cost the language model, one by one.

    The same quantised model with softmax, SiLU or norms on 4-bit indices, and with all of them,
    on 128 windows of held-out text and three seeds; standard errors are of the difference on the
    same windows. Other choices: kllm eval --on-indices. The JSON file is written anew after each
    run.
    """
    from golden.accuracy.evaluations import EVALUATIONS
    from golden.accuracy.operations import MODEL, markdown, measure_operations

    require_json(json_file)

    def keep(rows: list[dict[str, Any]]) -> None:
        if json_file != STANDARD_OUTPUT:
            write_json(json_file, rows)

    measured = EVALUATIONS[MODEL]
    rows = (
        read_kept(kept, "kllm operations", "over") if kept else measure_operations(measured, keep)
    )
    deliver(json_file, rows, lambda: typer.echo(markdown(rows)) if as_markdown else _show(rows))


def _show(rows: list[dict[str, Any]]) -> None:
    from golden.accuracy.operations import HEADINGS, cells
    from golden.base.console import console, table

    shown = table(*HEADINGS)
    for row in rows:
        shown.add_row(*cells(row))
    console().print(shown)
