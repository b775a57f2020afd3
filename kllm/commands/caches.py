"""The command ``kllm caches``."""

from typing import Any

import typer

from kllm.options import Json, Kept, Markdown
from kllm.results import STANDARD_OUTPUT, deliver, read_kept, require_json, write_json

EXAMPLES = """
Examples:

kllm caches --json docs/caches.json  -  measure all, in about a quarter of an hour

kllm caches --from docs/caches.json --markdown  -  what was measured, as docs/chip.md has it
"""


def command(kept: Kept = None, as_markdown: Markdown = False, json_file: Json = None) -> None:
    """Compare ways to keep keys and values: this project's K-Means, integers, KIVI, QuaRot's.

    By how much each makes the perplexity of the chip's decoder grow, on 128 windows of held-out
    text for each of three seeds, with the paired standard error, beside the bits that a value
    takes: scales, zero points, outliers and tokens in FP16 count. All but the cache is in real
    numbers. The JSON file is written anew after each row.
    """
    from golden.base.console import working
    from golden.chip.cache_comparison import compare, markdown
    from golden.chip.decoder_file import read_decoder
    from golden.chip.models import DECODER

    require_json(json_file)

    def measured() -> list[dict[str, Any]]:
        with working() as say:

            def keep(rows: list[dict[str, Any]], of: int) -> None:
                say(rows[-1]["label"], len(rows) / of)
                if json_file != STANDARD_OUTPUT:
                    write_json(json_file, rows)

            return compare(read_decoder(DECODER), keep)

    rows = read_kept(kept, "kllm caches", "bits") if kept else measured()
    deliver(json_file, rows, lambda: typer.echo(markdown(rows)) if as_markdown else _show(rows))


def _show(rows: list[dict[str, Any]]) -> None:
    from golden.base.console import console, table
    from golden.chip.cache_comparison import HEADINGS, by_bits, cells

    shown = table(*HEADINGS)
    for row in by_bits(rows):
        shown.add_row(*cells(row))
    console().print(shown)
