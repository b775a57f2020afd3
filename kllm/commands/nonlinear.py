"""The command ``kllm nonlinear``."""

from typing import Any

import typer

from kllm.options import Json, Kept, Liberty, Markdown
from kllm.results import deliver, read_kept, require_json

EXAMPLES = """
Examples:

kllm nonlinear --json docs/nonlinear.json  -  measure all parts

kllm nonlinear --from docs/nonlinear.json --markdown  -  what docs/nonlinear.md has
"""


def command(
    kept: Kept = None,
    as_markdown: Markdown = False,
    liberty: Liberty = None,
    json_file: Json = None,
) -> None:
    """Compare what nonlinear operations take on indices with what they take in FP16.

    Sixteen elements a cycle in both. Softmax in FP16 is the sum of its parts, without what joins
    them; other projects' figures stand below, as they are published. Energies are those of gates
    on rows of random numbers, without wires, memories and the clock's tree.
    """
    from synth.report.nonlinear import markdown

    require_json(json_file)
    rows = read_kept(kept, "kllm nonlinear", "operation") if kept else _measured(liberty or [])
    deliver(json_file, rows, lambda: typer.echo(markdown(rows)) if as_markdown else _show(rows))


def _measured(liberty: list[str]) -> list[dict[str, Any]]:
    from golden.base.console import working
    from synth.area.measure import measure_all
    from synth.libraries.libraries import load
    from synth.report.nonlinear import bill, designs, energies, forms

    found = forms()
    every = {one.name: one for one in designs(found)}
    library = load(liberty)
    with working() as say:
        measured = measure_all([*every.values()], library, progress=lambda part: say(part))
        areas = dict(zip(every, measured, strict=True))
        return bill(found, areas, energies([*every.values()], areas, library, say))


def _show(rows: list[dict[str, Any]]) -> None:
    from golden.base.console import console, table
    from synth.report.nonlinear import COLUMNS, cells

    shown = table(*COLUMNS.values())
    for row in rows:
        shown.add_row(*cells(row))
    console().print(shown)
