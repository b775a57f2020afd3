"""The command ``kllm sweep``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from golden.base.errors import ToolError
from kllm.options import Json, Plot, Scheduler, Timeout, Workers
from kllm.results import deliver, require_json

if TYPE_CHECKING:
    from golden.base.cache import Cache
    from synth.sweep.points import Plan
    from synth.sweep.run import Measured

EXAMPLES = """
Examples:

kllm sweep synth/sweep/lanes.toml  -  engines of several widths, on all cores

kllm sweep my.toml --json my.json --plot my.svg  -  figures, and what is best, as a curve

kllm sweep my.toml --scheduler tcp://host:8786  -  on your own Dask cluster

A file:

base = "small"  -  a design of `kllm verilog --list`, or a list of them

measure = ["area", "delay", "cycles", "accuracy"]  -  by default all but accuracy

libraries = ["osu018", "sky130A"]  -  as for `kllm synth --liberty`

pareto = ["ge", "microseconds"]  -  of which little is good

skip_impossible = true  -  leave out combinations that no engine can have

grid.output_lanes = [16, 32, 64]  -  every combination of the grid is a point

grid.magnitude_bits = [8, 9]  -  all else is as in the base

layer.inputs = 256  -  of which cycles are

layer.outputs = 256

layer.outliers_percent = 1.0  -  on both sides together

accuracy.layer = "encoder.layer.0.attention.self.query"  -  of MiniLM

accuracy.tokens = 64
"""


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="What to vary and measure.")],
    json_file: Json = None,
    plot: Plot = None,
    scheduler: Scheduler = None,
    jobs: Workers = None,
    timeout: Timeout = 600.0,
) -> None:
    """Measure a grid of designs: area, delay, cycles of a token, accuracy.

    Points run side by side on Dask. Each is kept as soon as it is measured, so an interrupted
    sweep goes on where it was: in build/cache, or the folder KLLM_CACHE names (empty: nowhere). A
    point that fails is said at the end; the others stand.
    """
    from golden.base.cache import default_cache
    from golden.base.files import require_plot
    from synth.sweep.plan import read_plan
    from synth.sweep.show import draw, figures, print_table

    plan = read_plan(file)
    require_json(json_file)
    require_plot(plot)
    cache = default_cache()
    measured = run(plan, cache, scheduler, jobs, timeout)
    deliver(json_file, figures(plan, measured), lambda: print_table(plan, measured))
    if plot is not None and any(one.figures for one in measured):
        draw(plan, measured, plot)
    if plan.left_out:
        typer.echo(f"left out: {plan.left_out} combinations that are impossible", err=True)
    if cache.complaint:
        typer.echo(cache.complaint, err=True)
    failed = [one for one in measured if one.problem]
    for one in failed[1:]:
        typer.echo(f"{one.point}: {one.problem}", err=True)
    if failed:
        raise ToolError(
            f"{len(failed)} of {len(measured)} points failed ({failed[0].point}:"
            f" {failed[0].problem}); the same command tries these alone again"
        )


def run(
    plan: "Plan", cache: "Cache", scheduler: str | None, jobs: int | None, timeout: float
) -> "list[Measured]":
    """Measure what is not known, and say how far that is; return all points."""
    from golden.base.console import working
    from synth.sweep.cluster import workers
    from synth.sweep.run import Measured, known_points, run_points

    found, missing = known_points(plan, cache)
    results = {p: Measured(point=p, figures=figures) for p, figures in found.items()}
    if missing:
        with workers(scheduler, jobs) as client, working() as say:

            def done(one: Measured) -> None:
                results[one.point] = one
                say("points", len(results) / len(plan.points))

            say("points", len(results) / len(plan.points))
            run_points(client, missing, cache, done, timeout=timeout)
    return [results[point] for point in plan.points]
