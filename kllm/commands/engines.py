"""The command ``kllm engines``."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from kllm.options import LAYER, Json, Kept, Liberty, Markdown
from kllm.results import deliver, read_kept, require_json

if TYPE_CHECKING:
    from gateware.design import Design
    from synth.libraries.liberty import Library

EXAMPLES = """
Examples:

kllm engines  -  complete engines side by side

kllm engines --energy tiny --energy tiny_symmetric --json docs/engines.json  -  with energies

kllm engines --from docs/engines.json --markdown  -  what was measured, as README.md has it
"""
TOKENS = 3  # of English text, for energies


def command(
    energy: Annotated[
        list[str] | None,
        typer.Option(metavar="DESIGN", help="Measure the energy of this one, too; repeatable."),
    ] = None,
    kept: Kept = None,
    as_markdown: Markdown = False,
    liberty: Liberty = None,
    json_file: Json = None,
) -> None:
    """Compare the complete linear engines: gates, memories, delay, cycles, energy, limits.

    Cycles are of a layer that every engine takes, 64 inputs and 64 outputs with one outlier on
    each side of a token: from token to token, and of a token that is alone. The largest engines'
    gates take minutes to simulate, so energies are measured of named engines only.
    """
    from synth.report.engines import markdown

    require_json(json_file)
    rows = (
        read_kept(kept, "kllm engines", "products")
        if kept
        else _measured(energy or [], liberty or [])
    )
    deliver(json_file, rows, lambda: typer.echo(markdown(rows)) if as_markdown else _show(rows))


def _measured(energy: list[str], liberty: list[str]) -> list[dict[str, Any]]:
    from gateware.engines.kinds import is_engine
    from gateware.points import CATALOGUE
    from golden.base.console import working
    from golden.base.names import lookup
    from synth.area.measure import measure_all
    from synth.libraries.libraries import load
    from synth.report.engines import engine_figures

    engines = {name: one for name, one in CATALOGUE.items() if is_engine(one)}
    chosen = {name: lookup("engine", name, engines, "kllm engines") for name in energy}
    library = load(liberty)
    with working() as say:
        areas = measure_all([*engines.values()], library, progress=lambda part: say(part))
        energies = {name: _energy(one, library, say) for name, one in chosen.items()}
    return engine_figures([*engines.values()], areas, energies)


def _energy(one: "Design", library: "Library", say: Any) -> float:
    """Return pJ per product on real tokens."""
    from kllm.commands.power import measure_energy

    found, ran = measure_energy(one, library, LAYER, TOKENS, None, say)
    return found.as_json(ran.tokens, ran.multiply_adds)["pj_per_multiply_add"]


def _show(rows: list[dict[str, Any]]) -> None:
    from golden.base.console import console, note, table
    from synth.report.engines import COLUMNS, engine_cells

    shown = table(*COLUMNS.values())
    for row in rows:
        shown.add_row(*engine_cells(row))
    console().print(shown)
    note(
        "Cycles of a layer of 64 x 64 with one outlier on each side: from token to token, and of a"
        " token alone. Memory bits are not in kGE. pJ without wires, clock tree and memories."
    )
