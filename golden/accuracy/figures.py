"""Figures of several runs as a table and as a plot."""

import io
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from golden.accuracy.options import EvalOptions
from golden.errors import InputError
from golden.files import require_writable, write_whole

if TYPE_CHECKING:
    from golden.accuracy.models import Model

FORMATS = (".png", ".svg", ".pdf")


def by_label(found: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the runs of each label, in the order in which the labels came first."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for figures in found:
        groups.setdefault(figures["label"], []).append(figures)
    return groups


def print_figures(model: "Model", found: list[dict[str, Any]]) -> None:
    """Print mean and worst of the metric, and the means of the other figures, by label."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    metric = model.metric
    # Figures come behind the options in each run.
    options = {"label", *(field.name for field in fields(EvalOptions))}
    others = [name for name in found[0] if name not in options and name != metric]
    table = Table(box=SIMPLE, pad_edge=False, title=model.title, title_justify="left")
    table.add_column("", no_wrap=True, min_width=min(40, max(len(run["label"]) for run in found)))
    for column in ("seeds", metric, f"worst {metric}", *others):
        table.add_column(column.replace("_", " "), justify="right")
    for label, runs in by_label(found).items():
        values = [run[metric] for run in runs]
        means = [sum(run[name] for run in runs) / len(runs) for name in others]
        numbers = (sum(values) / len(values), max(values), *means)
        table.add_row(label, str(len(runs)), *(f"{number:.4f}" for number in numbers))
    Console().print(table)


def require_files(json_file: Path | None, plot: Path | None) -> None:
    """Raise InputError, before long work, if one of the files could not be written after it."""
    if plot and plot.suffix not in FORMATS:
        raise InputError(f"{plot} must end in {', '.join(FORMATS)}: it says the format")
    for file in (json_file, plot):
        if file:
            require_writable(file)


def draw(model: "Model", found: list[dict[str, Any]], path: Path) -> None:
    """Draw the metric of each run, a column for each label."""
    from matplotlib.figure import Figure

    groups = by_label(found)
    figure = Figure(figsize=(1.5 + 0.8 * len(groups), 4), layout="constrained")
    axes = figure.add_subplot()
    for place, runs in enumerate(groups.values()):
        values = [run[model.metric] for run in runs]
        axes.bar(place, sum(values) / len(values), color="#9bbcd9")
        axes.plot([place] * len(values), values, ".", color="#1f4e79")
    axes.set_xticks(range(len(groups)), list(groups), rotation=30, ha="right")
    axes.set_ylabel(model.metric)
    axes.set_title(model.title, fontsize="small", loc="left")
    image = io.BytesIO()
    figure.savefig(image, format=path.suffix[1:])
    write_whole(path, image.getvalue())
