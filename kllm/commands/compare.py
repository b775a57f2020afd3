"""The command ``kllm compare``."""

from typing import Annotated, Any

import typer

from kllm.options import Json, Kept, Markdown
from kllm.results import deliver, read_kept, require_json

EXAMPLES = """
Examples:

kllm compare  -  our designs, FIGLUT, an A100 and an H200 side by side

kllm compare --json docs/compare.json  -  and keep the figures

kllm compare --from docs/compare.json --markdown  -  what docs/system.md has

kllm compare --all --json docs/whole_models.json  -  twelve models, three phases, five designs
"""


def command(
    kept: Kept = None,
    every: Annotated[
        bool, typer.Option("--all", help="All large models, in three phases, on five designs.")
    ] = False,
    as_markdown: Markdown = False,
    json_file: Json = None,
) -> None:
    """Compare whole chips at one bandwidth, 2.05 TB/s, and one clock, 500 MHz, with GPUs.

    LLaMA-2-7B, one text, a token after 1024 others. Energies of the chip are those of cells at
    7 nm (ASAP7, 0.7 V, typical), three times for wires and all else; those of GPUs are of whole
    boards. docs/system.md says what each figure rests on.
    """
    from gateware.system.compare import cells, markdown, side_by_side

    require_json(json_file)
    if every:
        _every(kept, as_markdown, json_file)
        return
    rows = read_kept(kept, "kllm compare", "per_terabyte") if kept else side_by_side()

    def show() -> None:
        from gateware.system.compare import COLUMNS
        from golden.base.console import console, table

        shown = table(*COLUMNS.values())
        for row in rows:
            shown.add_row(*cells(row))
        console().print(shown)
        _goals(rows)

    deliver(json_file, rows, lambda: typer.echo(markdown(rows)) if as_markdown else show())


def _every(kept: Kept, as_markdown: bool, json_file: Json) -> None:
    from gateware.system.compare import FIVE, LARGE, speed_and_energy, whole_markdown, whole_table

    rows = read_kept(kept, "kllm compare --all", "tokens_per_second") if kept else whole_table()

    def show() -> None:
        from golden.base.console import console, table

        for phase in dict.fromkeys(row["phase"] for row in rows):
            shown = table("model", *FIVE, title=f"tokens/s, mJ a token: {phase}")
            for model in LARGE:
                ours = [r for r in rows if (r["model"], r["phase"]) == (model, phase)]
                shown.add_row(model, *map(speed_and_energy, ours))
            console().print(shown)

    deliver(json_file, rows, lambda: typer.echo(whole_markdown(rows)) if as_markdown else show())


def _goals(rows: list[dict[str, Any]]) -> None:
    from gateware.system.compare import goals
    from golden.base.console import note

    for one in goals(rows):
        note(
            f"{one['name']}: {one['speed']:.2f} times the tokens/s for each TB/s of the better GPU"
            f" with int4 ({one['one_by_one']:.2f} one layer after another), {one['joules']:.1f}"
            f" times its tokens for a joule ({one['joules_dear']:.1f} if DRAM took 7 pJ/bit)."
        )
