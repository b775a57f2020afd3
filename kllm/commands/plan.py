"""The command ``kllm plan``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from golden.base.errors import ToolError
from kllm.options import Json, Plot, Scheduler, Workers, numbers
from kllm.results import deliver, require_json

if TYPE_CHECKING:
    from gateware.system.plan import Form, Question

EXAMPLES = """
Examples:

kllm plan llama-2-7b --memory hbm2x8 --area 4  -  the fastest chip of four million gates

kllm plan llama-3-8b --memory lpddr5 --area 1 --plot plan.svg  -  for a small board

kllm plan llama-2-7b --area 4 -o plan.toml  -  and its engine as a sweep: kllm sweep plan.toml

kllm plan llama-2-7b --lanes 4,8,16,32,64,128,256 --bits-a 4 --bits-a 8 --scheduler tcp://host:8786
"""
SHOWN = 12  # rows of the table
FEW = 16  # engines that are reckoned here sooner than workers have started


def command(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="By name, or its config.json.")],
    memory: Annotated[
        str, typer.Option(help="Memory outside the chip; kllm cycles --list has them.")
    ] = "hbm2x8",
    area: Annotated[
        float, typer.Option(metavar="MGE", help="Most gates, in millions, without memories.")
    ] = 4.0,
    length: Annotated[
        int, typer.Option("--context", help="Tokens before, or of the prompt: 1 to 131072.")
    ] = 1024,
    batch: Annotated[int, typer.Option(help="Texts side by side, 1 to 16.")] = 1,
    prefill: Annotated[bool, typer.Option("--prefill", help="Read a prompt.")] = False,
    bits_a: Annotated[
        list[int] | None,
        typer.Option(help="Bits of an activation: 4, 5 or 8; repeatable. Default: 8."),
    ] = None,
    inputs: Annotated[
        str | None, typer.Option(metavar="N,N", help="Input lanes, 2 to 64. Default: 16,32,64.")
    ] = None,
    lanes: Annotated[
        str | None,
        typer.Option(metavar="N,N", help="Output lanes, 4 to 256. Default: 16,32,64,128,256."),
    ] = None,
    engines: Annotated[
        str | None,
        typer.Option(metavar="N,N", help="Engines side by side, 1 to 64. Default: 1,2,4,8."),
    ] = None,
    clock_mhz: Annotated[float, typer.Option(metavar="MHZ", min=1.0, max=1e5)] = 500.0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE.toml", help="Sweep of the best.")
    ] = None,
    plot: Plot = None,
    json_file: Json = None,
    scheduler: Scheduler = None,
    jobs: Workers = None,
) -> None:
    """Find the lookup chip that is fastest for a model, a memory and an area.

    All of a grid is reckoned as `kllm cycles` does it: input lanes, output lanes, bits of an
    activation, engines side by side. Area is the arrays' and what one engine has beside it, for
    each. The table has the fastest, and marks those that no smaller one equals. There is RTL of a
    chip with one engine. More than a few engines are reckoned side by side, on Dask.
    """
    from gateware.system.estimate import Phase
    from gateware.system.plan import ENGINES, Question, best, grid, require_engines, sweep_text
    from golden.base.files import require_plot, require_writable, write_whole
    from golden.base.names import lookup
    from golden.system.memories import MEMORIES
    from golden.system.shapes import model_shape

    require_json(json_file)
    require_plot(plot)
    require_writable(output)
    counts = numbers("--engines", engines) or list(ENGINES)
    require_engines(counts)
    question = Question(
        model=model_shape(model),
        memory=lookup("memory", memory, MEMORIES, "kllm cycles --list"),
        phase=Phase(context=length, batch=batch, prefill=prefill),
        clock=clock_mhz * 1e6,
    )
    forms = grid(bits_a or [8], numbers("--inputs", inputs), numbers("--lanes", lanes))
    rows = best(_reckoned(forms, question, counts, scheduler, jobs), area)
    deliver(json_file, rows, lambda: _show(rows))
    if plot:
        from gateware.system.roofline import draw_plan

        draw_plan(rows, plot)
    if output:
        write_whole(output, sweep_text(rows[0]))
        typer.echo(f"kllm sweep {output}", err=True)


def _reckoned(
    forms: "list[Form]",
    question: "Question",
    engines: list[int],
    scheduler: str | None,
    jobs: int | None,
) -> list[dict[str, Any]]:
    """Return the rows of all chips: a few are reckoned here, many by workers."""
    from gateware.system.plan import rows_of
    from golden.base.console import working
    from synth.sweep.cluster import run_all, workers

    rows: list[dict[str, Any]] = []
    with working() as say:
        if scheduler is None and jobs is None and len(forms) <= FEW:
            for done, form in enumerate(forms):
                say("engines", done / len(forms))
                rows += rows_of(form, question, engines)
            return rows
        # Keys that no other work on the cluster has.
        tasks = {f"plan-{uuid4()}": form for form in forms}

        def take(key: str, result: object | None, problem: str) -> None:
            if not isinstance(result, list):
                raise ToolError(f"the engine of {tasks[key].name} was not reckoned: {problem}")
            rows.extend(result)
            say("engines", len(rows) / len(engines) / len(forms))

        with workers(scheduler, jobs) as client:
            run_all(client, tasks, partial(rows_of, question=question, engines=engines), take)
    return rows


def _show(rows: list[dict[str, Any]]) -> None:
    from golden.base.console import console, table

    titles = (
        "bits",
        "products",
        "MGE",
        "tile Kbit",
        "bytes a cycle",
        "tokens/s",
        "one by one",
        "mJ",
        "waits for",
        "",
    )
    shown = table("engines x inputs x lanes", *titles)
    for row in rows[:SHOWN]:
        shown.add_row(
            f"{row['engines']} x {row['inputs_per_beat']} x {row['output_lanes']}",
            str(row["bits_a"]),
            str(row["products"]),
            f"{row['mge']:.2f}",
            f"{row['buffer_kbit']:.0f}",
            str(row["bus_bytes"]),
            f"{row['tokens_per_second']:.4g}",
            f"{row['one_by_one']:.4g}" if row["one_by_one"] else "",
            f"{row['whole_mj']:.3g}",
            row["bound"],
            "no smaller one" if row["pareto"] else "",
        )
    console().print(shown)
