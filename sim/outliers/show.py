"""What ``kllm sim`` prints and draws of outlier engines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from golden.base.console import console, note, table
from golden.base.files import save_figure
from sim.outliers.outlier_table import Row


def show_run(figures: dict[str, Any]) -> None:
    """Print the figures of one engine on a user's vectors."""
    rows = table("", "", numeric=False)
    rows.show_header = False
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
    console().print(rows)
    note("Cycles: from a vector's first beat until both sides have offered an outlier.")


def show(rows: Sequence[Row], kinds: list[str]) -> None:
    """Print the engines as two tables, with what their columns mean below."""
    costs = table("design", "kGE", "memory bits", "FO4", "comparisons")
    cycles = table("cycles", *kinds, "worst", "last")
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
    console().print(costs)
    console().print(cycles)
    note(
        "Cycles from a vector's first beat until both sides have offered an outlier: means, and"
        f" the worst of all; last: until all have been taken, {kinds[0]} vectors. Comparisons of"
        " two keys for a vector: of the trees exactly, of others what their comparators could"
        " make. Memory bits are not in kGE." + _ratio(rows)
    )


def _ratio(rows: Sequence[Row]) -> str:
    """Return the sentence that compares the areas of the tree and of the streaming engine."""
    areas = {row.design.name: row.area["ge"] for row in rows if row.area}
    tree, ours = areas.get("orizuru_tree"), areas.get("orizuru_stream_16")
    return (
        f" The tree takes {tree / ours:.0f} times orizuru_stream_16's gates."
        if tree and ours
        else ""
    )


def draw(rows: Sequence[Row], path: Path) -> None:
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
    save_figure(figure, path)
