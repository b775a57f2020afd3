"""The command ``kllm operations``."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from kllm.options import Json, Kept, Markdown
from kllm.results import STANDARD_OUTPUT, deliver, read_kept, require_json, write_json

EXAMPLES = """
Examples:

kllm operations --json docs/operations.json  -  the language model's, in half an hour or more

kllm operations minilm --json docs/operations_minilm.json  -  MiniLM's, in some minutes

kllm operations attention --json docs/attention.json  -  all of attention, in half an hour

kllm operations --from docs/operations.json --markdown  -  what docs/nonlinear.md has
"""
Rows = list[dict[str, Any]]
ATTENTION = "attention"


def command(
    what: Annotated[
        str,
        typer.Argument(
            help="lm: softmax, SiLU and norms of the language model; minilm: softmax, attention and"
            " GELU of MiniLM; attention: all attention of the chip's decoder."
        ),
    ] = "lm",
    kept: Kept = None,
    as_markdown: Markdown = False,
    json_file: Json = None,
) -> None:
    """Measure what nonlinear operations and attention on indices cost models, one by one.

    The same quantised model with each operation on 4-bit indices, and with several: the language
    model on 128 windows of held-out text for each of four seeds, MiniLM on 128 texts. Standard
    errors are of the difference on the same ones. Of attention, queries of 4, 5 and 8 bits are
    compared, and what can become of the scales of values; codes and sums are integers, and all but
    attention is in real numbers. Other choices: kllm eval --on-indices. The JSON file is written
    anew after each run; that of attention is continued if it is there.
    """
    from golden.accuracy.operations import STUDIES
    from golden.base.names import lookup

    every = {**dict.fromkeys(STUDIES, _study), ATTENTION: _attention}
    find = lookup("table of operations", what, every)
    require_json(json_file)

    def keep(rows: Rows) -> None:
        if json_file != STANDARD_OUTPUT:
            write_json(json_file, rows)

    done = json_file if json_file and json_file.is_file() else None
    measure, column, headings, cells, markdown = find(what, keep, done)
    rows = read_kept(kept, f"kllm operations {what}", column) if kept else measure()

    def show() -> None:
        from golden.base.console import console, table

        shown = table(*headings)
        for row in rows:
            shown.add_row(*cells(row))
        console().print(shown)

    deliver(json_file, rows, lambda: typer.echo(markdown(rows)) if as_markdown else show())


# What measures; a column of the rows; headings; cells of a row; all in Markdown.
Found = tuple[
    Callable[[], Rows],
    str,
    Sequence[str],
    Callable[[Mapping[str, Any]], list[str]],
    Callable[[Sequence[Mapping[str, Any]]], str],
]


def _study(what: str, keep: Callable[[Rows], None], done: Path | None) -> Found:
    del done  # what pairs are made of is not kept
    from golden.accuracy.evaluations import EVALUATIONS
    from golden.accuracy.operations import STUDIES

    study = STUDIES[what]
    measured = EVALUATIONS[study.model]
    headings, cells = study.headings, study.cells
    return lambda: study.measure(measured, keep), study.metric, headings, cells, study.markdown


def _attention(what: str, keep: Callable[[Rows], None], done: Path | None) -> Found:
    from golden.base.console import working
    from golden.chip.attention_comparison import HEADINGS, cells, compare, markdown
    from golden.chip.decoder_file import read_decoder
    from golden.chip.models import DECODER

    def measure() -> Rows:
        rows = read_kept(done, f"kllm operations {what}", "queries") if done else []
        with working() as say:

            def told(rows: Rows, of: int) -> None:
                say(f"{what} {len(rows)}", len(rows) / of)
                keep(rows)

            return compare(read_decoder(DECODER), told, rows)

    return measure, "queries", HEADINGS, cells, markdown
