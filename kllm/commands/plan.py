"""The command ``kllm plan``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from golden.base.errors import InputError
from kllm.options import Json, Plot
from kllm.results import deliver, require_json

EXAMPLES = """
Examples:

kllm plan llama-2-7b --memory hbm2x8 --area 4  -  the fastest chip of four million gates

kllm plan llama-3-8b --memory lpddr5 --area 1 --plot plan.svg  -  for a small board

kllm plan llama-2-7b --area 4 -o plan.toml  -  and its engine as a sweep: kllm sweep plan.toml
"""
SHOWN = 12  # rows of the table


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
    bits_a: Annotated[int, typer.Option(help="Bits of an activation: 4, 5 or 8.")] = 8,
    clock_mhz: Annotated[float, typer.Option(metavar="MHZ", min=1.0, max=1e5)] = 500.0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE.toml", help="Sweep of the best.")
    ] = None,
    plot: Plot = None,
    json_file: Json = None,
) -> None:
    """Find the lookup chip that is fastest for a model, a memory and an area.

    All of a grid is reckoned as `kllm cycles` does it: input lanes, output lanes, engines side by
    side. Area is the arrays' and what one engine has beside it, for each. The table has the
    fastest, and marks those that no smaller one equals. There is RTL of a chip with one engine.
    """
    from gateware.system.estimate import Phase
    from gateware.system.plan import plan, sweep_text
    from golden.base.files import require_plot, require_writable, write_whole
    from golden.base.names import lookup
    from golden.system.memories import MEMORIES
    from golden.system.shapes import model_shape

    require_json(json_file)
    require_plot(plot)
    require_writable(output)
    if bits_a not in (4, 5, 8):
        raise InputError(f"--bits-a must be 4, 5 or 8, got {bits_a}")
    rows = plan(
        model_shape(model),
        lookup("memory", memory, MEMORIES, "kllm cycles --list"),
        Phase(context=length, batch=batch, prefill=prefill),
        area,
        bits_a=bits_a,
        clock=clock_mhz * 1e6,
    )
    deliver(json_file, rows, lambda: _show(rows))
    if plot:
        from gateware.system.roofline import draw_plan

        draw_plan(rows, plot)
    if output:
        write_whole(output, sweep_text(rows[0], bits_a))
        typer.echo(f"kllm sweep {output}", err=True)


def _show(rows: list[dict[str, Any]]) -> None:
    from golden.base.console import console, table

    titles = ("products", "MGE", "bytes a cycle", "tokens/s", "one by one", "mJ", "waits for", "")
    shown = table("engines x inputs x lanes", *titles)
    for row in rows[:SHOWN]:
        shown.add_row(
            f"{row['engines']} x {row['inputs_per_beat']} x {row['output_lanes']}",
            str(row["products"]),
            f"{row['mge']:.2f}",
            str(row["bus_bytes"]),
            f"{row['tokens_per_second']:.4g}",
            f"{row['one_by_one']:.4g}" if row["one_by_one"] else "",
            f"{row['whole_mj']:.3g}",
            row["bound"],
            "no smaller one" if row["pareto"] else "",
        )
    console().print(shown)
