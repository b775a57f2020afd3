"""Figures of several runs as a table and as a plot."""

import io
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from golden.accuracy.options import EvalOptions
from golden.base.errors import InputError
from golden.base.files import require_writable, write_whole

if TYPE_CHECKING:
    from golden.accuracy.models import Model

FORMATS = (".png", ".svg", ".pdf")
DIGITS = 6


def by_label(found: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the runs of each label, in the order in which the labels came first."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for figures in found:
        groups.setdefault(figures["label"], []).append(figures)
    return groups


def print_figures(model: "Model", found: list[dict[str, Any]]) -> None:
    """Print mean and worst of the metric, and the means of the other figures, by label.

    With one seed for each there is no worst.
    """
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    metric = model.metric
    # Figures come behind the options in each run.
    options = {"label", *(field.name for field in fields(EvalOptions))}
    others = [name for name in found[0] if name not in options and name != metric]
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0), title=model.title, title_justify="left")
    table.add_column("")
    groups = by_label(found)
    several = max(len(runs) for runs in groups.values()) > 1
    columns = [metric, *(["seeds", f"worst {metric}"] if several else []), *others]
    for column in columns:
        # Labels may take several lines; numbers must not.
        title = column.replace("_", " ").replace("nearest", "near").replace("seconds", "s")
        table.add_column(title, justify="right", min_width=0 if column == "seeds" else DIGITS)
    for label, runs in groups.items():
        means = {name: sum(run[name] for run in runs) / len(runs) for name in (metric, *others)}
        numbers = means | {f"worst {metric}": max(run[metric] for run in runs)}
        cells = {name: f"{number:.4f}"[:DIGITS] for name, number in numbers.items()}
        table.add_row(label, *((cells | {"seeds": str(len(runs))})[name] for name in columns))
    Console().print(table)


def require_files(json_file: Path | None, plot: Path | None) -> None:
    """Raise InputError, before long work, if one of the files could not be written after it."""
    if plot and plot.suffix not in FORMATS:
        raise InputError(f"{plot} must end in {', '.join(FORMATS)}: it says the format")
    for file in (json_file, plot):
        if file:
            require_writable(file)


def draw(model: "Model", found: list[dict[str, Any]], path: Path) -> None:
    """Draw the metric of each run as a dot, and a bar for the mean of each label."""
    from matplotlib.figure import Figure

    groups = by_label(found)
    figure = Figure(figsize=(7, 1.2 + 0.35 * len(groups)), layout="constrained")
    axes = figure.add_subplot()
    for place, runs in enumerate(groups.values()):
        values = [run[model.metric] for run in runs]
        axes.barh(place, sum(values) / len(values), color="#9bbcd9")
        axes.plot(values, [place] * len(values), ".", color="#1f4e79")
    axes.set_yticks(range(len(groups)), list(groups))
    axes.invert_yaxis()
    axes.set_xlabel(model.metric)
    figure.suptitle(model.title, fontsize="small")
    image = io.BytesIO()
    figure.savefig(image, format=path.suffix[1:])
    write_whole(path, image.getvalue())
