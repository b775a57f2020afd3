"""Runs of several kinds and seeds: measured, as a table, and as a plot."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from statistics import mean
from time import process_time
from typing import TYPE_CHECKING

from golden.accuracy.options import EvalOptions, Figures
from golden.base.console import console, table, working
from golden.base.files import save_figure

if TYPE_CHECKING:
    from golden.accuracy.evaluations import Evaluation

Runs = list[Figures]
ERROR = "standard_error"
DIGITS = 4  # significant ones at least, and as many behind the point


def measure_all(
    evaluation: "Evaluation", kinds: Mapping[str, EvalOptions], seeds: range
) -> Iterator[Runs]:
    """Yield, after each run, the figures of all runs so far: each kind with each seed."""
    for options in kinds.values():
        options.check()
    runs = [
        (label, replace(options, seed=seed)) for label, options in kinds.items() for seed in seeds
    ]
    found: Runs = []
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


def by_label(found: Runs) -> dict[str, Runs]:
    """Return the runs of each label, in the order in which the labels came first."""
    groups: dict[str, Runs] = {}
    for figures in found:
        groups.setdefault(figures["label"], []).append(figures)
    return groups


def number(value: float, places: int | None = None) -> str:
    """Return a figure with so many places, or enough to tell runs apart, however small it is."""
    if places is not None:
        return f"{value:.{places}f}"
    places = DIGITS
    if value and math.isfinite(value):
        places = max(DIGITS, DIGITS - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}"


def print_figures(evaluation: "Evaluation", found: Runs) -> None:
    """Print mean and worst of the metric, and the means of the other figures, by label.

    With one seed for each there is no worst. The standard error is that of the mean.
    """
    metric, groups = evaluation.metric, by_label(found)
    # Figures come behind the options in each run; some are lists.
    options = {"label", *(field.name for field in fields(EvalOptions))}
    figures = [n for n, value in found[0].items() if n not in options and type(value) is float]
    several = max(len(runs) for runs in groups.values()) > 1
    columns = [metric, *(["seeds", f"worst {metric}"] if several else [])]
    columns += [name for name in figures if name != metric]
    first, *more = groups
    if paired := evaluation.difference if more else None:
        columns.insert(columns.index(ERROR) + 1, f"over {first}")
    titles = (c.replace("_", " ").replace("seconds", "s") for c in columns)
    rows = table("", *titles, title=evaluation.title)
    for label, runs in groups.items():
        numbers = {name: mean([run[name] for run in runs]) for name in figures}
        numbers |= {ERROR: error_of_mean([run[ERROR] for run in runs])}
        numbers |= {f"worst {metric}": max(run[metric] for run in runs)}
        cells = {name: number(value, evaluation.places) for name, value in numbers.items()}
        cells |= {"seeds": str(len(runs))}
        if paired and label != first:
            pair = difference(evaluation, runs, groups[first])
            cells[f"over {first}"] = " ± ".join(number(v, evaluation.places) for v in pair)
        rows.add_row(label, *(cells.get(name, "") for name in columns))
    console().print(rows)


def difference(evaluation: "Evaluation", runs: Runs, others: Runs) -> tuple[float, float]:
    """Return how much larger the metric of runs is in the mean than that of others, and its error.

    Both are runs with the same seeds, of a model whose runs can be compared so.
    """
    if not evaluation.difference:
        raise TypeError(f"{evaluation.title} has no paired difference")
    both = [evaluation.difference(run, one) for run, one in zip(runs, others, strict=True)]
    over, errors = zip(*both, strict=True)
    return mean(over), error_of_mean(errors)


def error_of_mean(errors: Sequence[float]) -> float:
    """Return the standard error of the mean of figures that have these, each its own texts."""
    return math.hypot(*errors) / len(errors)


def print_bits(evaluation: "Evaluation", found: Runs) -> None:
    """Print a line per method and a column per pair of bits."""
    cells = {(f["method"], f["bits_w"], f["bits_a"]): f for f in found}
    columns = dict.fromkeys((w, a) for _, w, a in cells)
    rows = table("", *(f"W{w}A{a}" for w, a in columns), title=evaluation.title)
    for name in dict.fromkeys(name for name, _, _ in cells):
        measured = ([cells[name, w, a][n] for n in (evaluation.metric, ERROR)] for w, a in columns)
        rows.add_row(name, *(" ± ".join(number(v, evaluation.places) for v in m) for m in measured))
    console().print(rows)


def draw(evaluation: "Evaluation", found: Runs, path: Path) -> None:
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
