"""The command ``kllm sim orizuru``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from golden.base.errors import ToolError
from kllm.commands import sim_compare as compare_cli
from kllm.commands.run import MeasureArea

EXAMPLES = """
Examples:

kllm sim orizuru --input x.npy --k 21  -  16 values per beat

kllm sim orizuru --input x.npy --k 21 --per-beat 32 --dump found.npz --json figures.json
"""


def make_app(measure_area: MeasureArea) -> typer.Typer:
    """Return the group of commands; ``measure_area`` says what a design takes in gates."""
    app = typer.Typer(help="Simulate single engines on your own data.", no_args_is_help=True)
    app.command("orizuru", epilog=EXAMPLES)(orizuru)
    app.command("compare", epilog=compare_cli.EXAMPLES)(compare_cli.make_compare(measure_area))
    return app


def orizuru(
    vectors: Annotated[
        Path, typer.Option("--input", metavar="FILE", help="Vectors: .npy, float16, (T, N).")
    ],
    k: Annotated[int, typer.Option(help="Outliers on each side, 1 to N.")],
    engine: Annotated[
        str,
        typer.Option(
            help="stream (ours), unit (the paper's, N a power of two), tree (the paper's, any N),"
            " bitonic (a baseline)."
        ),
    ] = "stream",
    per_beat: Annotated[int, typer.Option(help="Values per beat: a power of two to 256.")] = 16,
    simulator: Annotated[str, typer.Option(help="icarus or verilator.")] = "verilator",
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")
    ] = None,
    dump: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write max_index, max_value, min_index, min_value (T, k) and cycles (T,).",
        ),
    ] = None,
) -> None:
    """Find the largest and smallest values of each vector with an outlier engine.

    The simulated Verilog's answers are compared with a stable sort; the exit status is 1 if one
    differs. NaN and infinity count as zero and are reported.
    """
    import io

    import numpy as np

    from gateware.outlier_engines import make_outlier_engine
    from golden.base.files import require_writable, write_whole
    from hw.stream.share import looked_at
    from kllm.commands.run import progress_bar
    from sim.kit.simulators import choose_simulator
    from sim.outliers.orizuru_run import (
        outlier_spec,
        read_vectors,
        result_arrays,
        run_engine,
        summary,
    )

    simulator = choose_simulator(simulator)
    x = read_vectors(vectors)
    looked_at(make_outlier_engine(engine, outlier_spec(x.shape[1], k, per_beat)))
    for path in (json_file, dump):
        if path:
            require_writable(path)
    with progress_bar() as progress:
        progress(f"simulation on {simulator}", None)
        run = run_engine(engine, x, k, per_beat, simulator=simulator)
    figures = summary(engine, x, run, k, per_beat)
    if json_file:
        write_whole(json_file, json.dumps(figures, indent=2) + "\n")
    if dump:
        file = io.BytesIO()
        np.savez(file, **result_arrays(x, run))  # pyright: ignore[reportArgumentType]
        write_whole(dump, file.getvalue())
    show(figures)
    if figures["mismatches"]:
        raise ToolError(f"{figures['mismatches']} outliers differ from the stable sort's")


def show(figures: dict) -> None:
    """Print the figures as a table."""
    from rich.console import Console
    from rich.table import Table

    rows = Table(show_header=False)
    rows.add_row("vectors", f"{figures['tokens']} of {figures['N']}")
    rows.add_row("outliers", f"{figures['k']} on each side")
    rows.add_row("engine", f"{figures['engine']}, {figures['values_per_beat']} values per beat")
    rows.add_row("mismatches", str(figures["mismatches"]))
    rows.add_row("NaN or infinite, taken for zero", str(figures["nonfinite"]))
    for key in ("cycles", "cycles_to_last_outlier", "cycles_from_token_to_token"):
        span = figures[key]
        if span:
            text = f"mean {span['mean']:.1f}, {span['least']} to {span['most']}"
            rows.add_row(key.replace("_", " "), text)
    console = Console()
    console.print(rows)
    console.print(
        "Cycles: from a vector's first beat until both sides have offered an outlier.", style="dim"
    )
