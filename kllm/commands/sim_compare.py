"""The command ``kllm sim compare``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from golden.base.errors import InputError, ToolError
from kllm.commands.run import MeasureArea

if TYPE_CHECKING:
    from rich.table import Table

    from gateware.design import Design
    from sim.outliers.outlier_table import Row

EXAMPLES = """
Examples:

kllm sim compare  -  all engines at N = 4096, k = 21

kllm sim compare orizuru_stream_16 bitonic_16 --no-area  -  cycles of two of them

kllm sim compare --tokens 12 --json engines.json --plot engines.png
"""


def make_compare(measure_area: MeasureArea) -> Callable[..., None]:
    """Return the command; ``measure_area`` says what a design takes in gates."""

    def compare(
        names: Annotated[
            list[str] | None,
            typer.Argument(metavar="DESIGN", help="Outlier engines; by default all."),
        ] = None,
        tokens: Annotated[int, typer.Option(help="Random and real vectors, 1 to 64 each.")] = 6,
        seed: Annotated[int, typer.Option(help="Of the random vectors.")] = 0,
        minilm: Annotated[bool, typer.Option(help="Take activations of MiniLM, too.")] = True,
        area: Annotated[bool, typer.Option(help="Measure areas.")] = True,
        simulator: Annotated[str, typer.Option(help="icarus or verilator.")] = "verilator",
        json_file: Annotated[
            Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")
        ] = None,
        plot: Annotated[
            Path | None, typer.Option(metavar="FILE", help="Draw area against cycles.")
        ] = None,
    ) -> None:
        """Compare outlier engines: cycles on vectors of several kinds, gates, comparisons.

        Every outlier is compared with a stable sort's; the exit status is 1 if one differs.
        """
        from golden.base.files import require_writable, write_whole
        from kllm.commands.run import progress_bar
        from sim.kit.simulators import choose_simulator
        from sim.outliers.outlier_table import compare

        designs = choose_designs(names)
        simulator = choose_simulator(simulator)
        if not 1 <= tokens <= 64:
            raise InputError(f"--tokens must be from 1 to 64, got {tokens}")
        if plot and not area:
            raise InputError("--plot draws area against cycles: leave out --no-area")
        for path in (json_file, plot):
            if path:
                require_writable(path)
        inputs = max(design.spec.inputs_max for design in designs)
        with progress_bar() as progress:
            progress("vectors", None)
            kinds = make_kinds(inputs, tokens, seed, minilm=minilm)
            rows = compare(
                designs,
                kinds,
                simulator=simulator,
                measure_area=measure_area if area else None,
                progress=progress,
            )
        if json_file:
            figures = [row.figures() for row in rows]
            write_whole(json_file, json.dumps(figures, indent=2) + "\n")
        if plot:
            draw(rows, plot)
        show(rows, list(kinds))
        wrong = sum(row.mismatches for row in rows)
        if wrong:
            raise ToolError(f"{wrong} outliers differ from the stable sort's")

    return compare


def choose_designs(names: list[str] | None) -> "list[Design]":
    """Return the engines of these names, or all.

    Raises
    ------
    InputError
        If a name is not that of an outlier engine.
    """
    from gateware.outlier_engines import outlier_designs
    from gateware.points import CATALOGUE
    from golden.base.tensor_file import near

    known = outlier_designs(CATALOGUE.values())
    for name in names or ():
        if name not in known:
            raise InputError(f"no outlier engine {name!r}{near(name, known)}")
    return [known[name] for name in dict.fromkeys(names or known)]


def make_kinds(inputs: int, tokens: int, seed: int, *, minilm: bool) -> dict[str, Any]:
    """Return the vectors of each kind, random ones first."""
    from sim.outliers.outlier_vectors import REAL, made_up, real

    kinds = made_up(inputs, tokens, seed)
    if minilm:
        kinds = {"random": kinds["random"], REAL: real(inputs, tokens), **kinds}
    return kinds


def show(rows: "list[Row]", kinds: list[str]) -> None:
    """Print the engines as two tables, with what their columns mean below."""
    from rich.console import Console

    costs = _table("design", "kGE", "memory bits", "FO4", "comparisons")
    cycles = _table("cycles", *kinds, "worst", "last")
    for row in rows:
        figures = row.figures()
        gates = ["-", "-", "-"]
        if row.area:
            gates = [
                f"{figures['ge'] / 1000:.1f}",
                str(figures["memory_bits"]),
                f"{figures['delay_fo4']:.1f}",
            ]
        bound = "" if figures["comparisons_exact"] else "< "
        costs.add_row(row.design.name, *gates, f"{bound}{figures['comparisons']:.0f}")
        worst = max(span["worst"] for span in row.cycles.values())
        means = (f"{row.cycles[kind]['mean']:.0f}" for kind in kinds)
        last = row.cycles[kinds[0]]["to_last"]
        cycles.add_row(row.design.name, *means, f"{worst:.0f}", f"{last:.0f}")
    console = Console()
    console.print(costs)
    console.print(cycles)
    console.print(
        "Cycles from a vector's first beat until both sides have offered an outlier: means, and"
        f" the worst of all; last: until all have been taken, {kinds[0]} vectors. Comparisons of"
        " two keys for a vector: of the trees exactly, of others what their comparators could"
        " make. Memory bits are not in kGE." + _ratio(rows),
        style="dim",
    )


def _table(first: str, *numbers: str) -> "Table":
    """Return a table of numbers that fits a narrow terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Column, Table

    columns = (Column(name, justify="right") for name in numbers)
    return Table(
        Column(first, no_wrap=True),
        *columns,
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )


def _ratio(rows: "list[Row]") -> str:
    """Return the sentence that compares the areas of the tree and of the streaming engine."""
    areas = {row.design.name: row.area["ge"] for row in rows if row.area}
    tree, ours = areas.get("orizuru_tree"), areas.get("orizuru_stream_16")
    return (
        f" The tree takes {tree / ours:.0f} times orizuru_stream_16's gates."
        if tree and ours
        else ""
    )


def draw(rows: "list[Row]", path: Path) -> None:
    """Draw the area of each engine over the cycles that it takes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot(xscale="log", yscale="log")
    for row in rows:
        assert row.area
        mean = row.cycles["random"]["mean"]
        worst = max(span["worst"] for span in row.cycles.values())
        (line,) = axes.plot([mean, worst], [row.area["ge"] / 1000] * 2, marker="|", linewidth=1)
        axes.plot(mean, row.area["ge"] / 1000, "o", color=line.get_color())
        axes.annotate(
            row.design.name,
            (mean, row.area["ge"] / 1000),
            xytext=(4, 5),
            textcoords="offset points",
            fontsize="small",
        )
    axes.set_xlabel("cycles per token: mean of random vectors, and worst of all kinds")
    axes.set_ylabel("area in kGE, memories apart")
    axes.grid(which="both", alpha=0.3)
    figure.savefig(path, dpi=120)
