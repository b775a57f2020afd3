"""Runs of several kinds and seeds: measured, as a table, and as a plot."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

from golden.accuracy.options import EvalOptions
from golden.base.console import console, table, working
from golden.base.files import save_figure

if TYPE_CHECKING:
    from golden.accuracy.evaluations import Evaluation

Figures = list[dict[str, Any]]
DIGITS = 4  # significant ones at least, and as many behind the point


def measure_all(
    evaluation: "Evaluation", kinds: Mapping[str, EvalOptions], seeds: range
) -> Iterator[Figures]:
    """Yield, after each run, the figures of all runs so far: each kind with each seed."""
    for options in kinds.values():
        options.check()
    runs = [
        (label, replace(options, seed=seed)) for label, options in kinds.items() for seed in seeds
    ]
    found: Figures = []
    with working() as say:
        for i, (label, run) in enumerate(runs):

            def step(done: int, of: int, i: int = i, label: str = label) -> None:
                say(label, (i + done / of) / len(runs))

            began = process_time()
            say(label, i / len(runs))
            figures = evaluation.evaluate(run, step)
            took = {"cpu_seconds": process_time() - began}
            found.append({"label": label, **asdict(run), **figures, **took})
            yield found


def by_label(found: Figures) -> dict[str, Figures]:
    """Return the runs of each label, in the order in which the labels came first."""
    groups: dict[str, Figures] = {}
    for figures in found:
        groups.setdefault(figures["label"], []).append(figures)
    return groups


def number(value: float) -> str:
    """Return a figure with enough digits to tell runs apart, however small it is."""
    places = DIGITS
    if value and math.isfinite(value):
        places = max(DIGITS, DIGITS - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}"


def print_figures(evaluation: "Evaluation", found: Figures) -> None:
    """Print mean and worst of the metric, and the means of the other figures, by label.

    With one seed for each there is no worst.
    """
    metric = evaluation.metric
    # Figures come behind the options in each run.
    options = {"label", *(field.name for field in fields(EvalOptions))}
    others = [name for name in found[0] if name not in options and name != metric]
    groups = by_label(found)
    several = max(len(runs) for runs in groups.values()) > 1
    columns = [metric, *(["seeds", f"worst {metric}"] if several else []), *others]
    titles = (c.replace("_", " ").replace("seconds", "s") for c in columns)
    rows = table("", *titles, title=evaluation.title)
    for label, runs in groups.items():
        means = {name: sum(run[name] for run in runs) / len(runs) for name in (metric, *others)}
        numbers = means | {f"worst {metric}": max(run[metric] for run in runs)}
        cells = {name: number(value) for name, value in numbers.items()}
        rows.add_row(label, *((cells | {"seeds": str(len(runs))})[name] for name in columns))
    console().print(rows)


def print_bits(evaluation: "Evaluation", found: Figures) -> None:
    """Print a line per method and a column per pair of bits."""
    cells = {(f["method"], f["bits_w"], f["bits_a"]): f[evaluation.metric] for f in found}
    columns = dict.fromkeys((w, a) for _, w, a in cells)
    rows = table("", *(f"W{w}A{a}" for w, a in columns), title=evaluation.title)
    for name in dict.fromkeys(name for name, _, _ in cells):
        rows.add_row(name, *(number(cells[name, w, a]) for w, a in columns))
    console().print(rows)


def draw(evaluation: "Evaluation", found: Figures, path: Path) -> None:
    """Draw the metric of each run as a dot, and a bar for the mean of each label."""
    from matplotlib.figure import Figure

    groups = by_label(found)
    figure = Figure(figsize=(7, 1.2 + 0.35 * len(groups)), layout="constrained")
    axes = figure.add_subplot()
    for place, runs in enumerate(groups.values()):
        values = [run[evaluation.metric] for run in runs]
        axes.barh(place, sum(values) / len(values), color="#9bbcd9")
        axes.plot(values, [place] * len(values), ".", color="#1f4e79")
    axes.set_yticks(range(len(groups)), list(groups))
    axes.invert_yaxis()
    axes.set_xlabel(evaluation.metric)
    figure.suptitle(evaluation.title, fontsize="small")
    save_figure(figure, path)
