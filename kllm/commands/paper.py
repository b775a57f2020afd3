"""The command ``kllm paper``."""

import typer

from golden.base.errors import ToolError
from kllm.options import Json, Kept, Markdown
from kllm.results import deliver, read_kept, require_json

EXAMPLES = """
Examples:

kllm paper  -  what the KLLM paper prints, and what our counter engine and models give

kllm paper --json docs/paper.json  -  and keep the figures

kllm paper --from docs/paper.json --markdown  -  what docs/system.md has
"""


def command(kept: Kept = None, as_markdown: Markdown = False, json_file: Json = None) -> None:
    """Reproduce the figures of the KLLM paper (arXiv 2507.23035) from formulas that RTL holds to.

    Figures that the paper does not print but that follow from it are marked as our derivation.
    Exit status 1 if one is further off than it may be: cycles not at all, shares of traffic half a
    point, tokens a second and powers 1 %.
    """
    from gateware.system.paper import COLUMNS, cells, markdown, reproduction

    require_json(json_file)
    if kept:
        rows = read_kept(kept, "kllm paper", "quantity")
    else:
        rows = [row.as_json() for row in reproduction()]

    def show() -> None:
        from golden.base.console import console, table

        shown = table(*COLUMNS)
        for row in rows:
            shown.add_row(*cells(row))
        console().print(shown)

    deliver(json_file, rows, lambda: typer.echo(markdown(rows)) if as_markdown else show())
    if off := [row["quantity"] for row in rows if not row["holds"]]:
        raise ToolError(f"not reproduced: {', '.join(off)}")
