"""A sweep's figures as a table, as JSON and as a plot."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gateware.variant import Value
from golden.base.console import console, table
from golden.base.files import save_figure
from synth.sweep.points import Plan, Point, figures_of
from synth.sweep.run import Measured, front

UNITS = {
    "ge": "GE",
    "area": "area",
    "delay_fo4": "FO4",
    "delay_ps": "ps",
    "microseconds": "us / token",
    "cycles": "cycles / token",
    "error": "error, %",
    "quantisation_error": "of codebooks, %",
    "arithmetic_error": "of table, %",
}
IN_TABLE = ("ge", "memory_bits", "delay_fo4", "cycles", "microseconds", "error")
WIDE = 10  # times the least: such figures stand on a logarithmic axis
COLOURS = ("#1f6f8b", "#c8553d", "#588157", "#7b5ea7", "#b08900", "#4a4e69")


def label(point: Point, plan: Plan) -> str:
    """Return what tells a point from the others of its sweep."""
    parts = [point.base] if len({p.base for p in plan.points}) > 1 else []
    parts += [f"{name}={_text(value)}" for name, value in point.changes if _varies(name, plan)]
    if len({p.library for p in plan.points}) > 1:
        parts.append(point.library)
    return " ".join(parts) or point.base


def _varies(name: str, plan: Plan) -> bool:
    return len({dict(point.changes)[name] for point in plan.points}) > 1


def print_table(plan: Plan, measured: Sequence[Measured]) -> None:
    """Print all points; a star marks those that none is better than."""
    best = front(measured, plan.pareto)
    there = [name for name in IN_TABLE if name in figures_of(plan.points[0].measure)]
    varied = [name for name, _ in plan.points[0].changes if _varies(name, plan)]
    fixed = [
        name for name in ("base", "library") if len({getattr(p, name) for p in plan.points}) > 1
    ]
    heads = [UNITS.get(name, name).replace("_", " ") for name in (*fixed, *varied, *there)]
    rows = table("", *heads)
    for column in rows.columns[: len(heads) - len(there) + 1]:
        column.justify = "left"
    for one in measured:
        changes = dict(one.point.changes)
        row = ["*" if one.point in best else ""]
        row += [str(getattr(one.point, name)) for name in fixed]
        row += [_text(changes[name]) for name in varied]
        row += [_number(name, one.figures[name]) if one.figures else "-" for name in there]
        rows.add_row(*row)
    console().print(rows)
    weighed = ", ".join(UNITS.get(name, name) for name in plan.pareto)
    print(f"* none is better in {weighed}")


def _text(value: Value) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _number(name: str, value: float) -> str:
    if name.endswith("error"):
        return f"{100 * value:.2f}"
    return f"{value:.4g}" if name in ("microseconds", "delay_fo4") else f"{value:.0f}"


def figures(plan: Plan, measured: Sequence[Measured]) -> dict[str, Any]:
    """Return everything, ready for JSON."""
    best = front(measured, plan.pareto)
    rows = []
    for one in measured:
        point = asdict(one.point) | {"changes": dict(one.point.changes)}
        rows.append(
            point | {"figures": one.figures, "problem": one.problem, "pareto": one.point in best}
        )
    return {"pareto": plan.pareto, "left_out": plan.left_out, "points": rows}


def draw(plan: Plan, measured: Sequence[Measured], path: Path) -> None:
    """Draw the first two figures that are weighed, with a line through each library's best."""
    from matplotlib.figure import Figure

    x, y = (plan.pareto * 2)[:2]
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.add_subplot()
    groups: dict[tuple[str, str], list[Measured]] = {}
    for one in measured:
        if one.figures:
            groups.setdefault((one.point.base, one.point.library), []).append(one)
    for (base, library), group in groups.items():
        colour = COLOURS[list(groups).index((base, library)) % len(COLOURS)]
        values = [(one.figures[x], one.figures[y]) for one in group]
        axes.plot(*zip(*values, strict=True), "o", color=colour, label=f"{base}, {library}")
    for library in dict.fromkeys(library for _, library in groups):
        _draw_front(axes, plan, [m for m in measured if m.point.library == library], (x, y))
    axes.set_xlabel(UNITS.get(x, x))
    axes.set_ylabel(UNITS.get(y, y))
    for name, scale, axis in ((x, axes.set_xscale, axes.xaxis), (y, axes.set_yscale, axes.yaxis)):
        values = [one.figures[name] for one in measured if one.figures]
        if min(values) > 0 and max(values) > WIDE * min(values):
            scale("log")
            axis.set_major_formatter("{x:g}")
    axes.margins(0.1)
    axes.grid(color="#dddddd", which="both", linewidth=0.5)
    axes.set_axisbelow(True)
    if len(groups) > 1:
        axes.legend(fontsize="small")
    save_figure(figure, path)


def _draw_front(axes, plan: Plan, measured: Sequence[Measured], named: tuple[str, str]) -> None:
    """Join the points that none is better than in these two figures, and name them."""
    best = front(measured, named)
    ends = sorted(
        (m.figures[named[0]], m.figures[named[1]], label(m.point, plan))
        for m in measured
        if m.point in best
    )
    if ends:
        axes.plot([e[0] for e in ends], [e[1] for e in ends], "-", color="#999999", zorder=0)
    middle = sum(axes.get_xlim()) / 2
    for across, up, text in ends:
        side, shift = ("right", -6) if across > middle else ("left", 6)
        place = dict(textcoords="offset points", xytext=(shift, 6), ha=side)
        axes.annotate(text, (across, up), fontsize="x-small", **place)
