"""The table that says what accuracy costs: this project's forms, their rivals, and the floor."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import mean
from typing import TYPE_CHECKING, Any

from golden.accuracy.figures import ERROR, Runs, difference, error_of_mean, measure_all
from golden.accuracy.options import EvalOptions

if TYPE_CHECKING:
    from golden.accuracy.evaluations import Evaluation

UNIFORM = "uniform"
# The first is what the others are compared with, in the same texts.
KINDS: Mapping[str, EvalOptions] = {
    "this project, W4A8, rows made": EvalOptions(bits_a=8),
    "this project, W4A5": EvalOptions(bits_a=5),
    "this project, W4A4": EvalOptions(),
    "its weights, activations in FP16 (W4A16)": EvalOptions(bits_a=16),
    "INT4 x A8, refined alike": EvalOptions(recipe=UNIFORM, bits_a=8),
    "INT4 x A5, refined alike": EvalOptions(recipe=UNIFORM, bits_a=5),
    "INT4, refined alike": EvalOptions(recipe=UNIFORM),
    "INT5 x INT5, refined alike": EvalOptions(recipe=UNIFORM, bits_w=5, bits_a=5),
    "QuaRot, W4A4 (`quarot_asym_g128`)": EvalOptions(method="quarot_asym_g128"),
    "Atom, W4A4 (`atom`)": EvalOptions(method="atom"),
    "Atom, 128 channels in 8 bits (`atom_128`)": EvalOptions(method="atom_128"),
}
REFERENCE = next(iter(KINDS))
# Seeds and texts of each model. Methods were chosen on MiniLM's first seeds.
MEASURED: Mapping[str, tuple[range, int]] = {"minilm": (range(3, 5), 64), "lm": (range(1), 128)}
HEADINGS = (
    "",
    *("MiniLM: error", "more than W4A8"),
    *("language model: increase", "more than W4A8"),
)


def compare(
    models: "Mapping[str, Evaluation]",
    report: Callable[[list[dict[str, Any]]], object],
    kinds: Mapping[str, EvalOptions] = KINDS,
) -> list[dict[str, Any]]:
    """Measure each kind on each model and return the rows; report those so far after each.

    Parameters
    ----------
    models : mapping
        How each is measured, by the names in :data:`MEASURED`.
    report : callable
    kinds : mapping
        Options by label; of texts and seed no notice is taken.
    """
    rows: list[dict[str, Any]] = []
    first: dict[str, Runs] = {}
    for label, options in kinds.items():
        found = {}
        for name, evaluation in models.items():
            seeds, texts = MEASURED[name]
            asked = {label: replace(options, texts=texts)}
            for runs in measure_all(evaluation, asked, seeds):
                found[name] = runs
        first = first or found
        rows.append(row(models, label, found, first))
        report(rows)
    return rows


def row(
    models: "Mapping[str, Evaluation]",
    label: str,
    found: Mapping[str, Runs],
    first: Mapping[str, Runs],
) -> dict[str, Any]:
    """Return a row, ready for JSON: of each model the mean over seeds, and the paired difference.

    Parameters
    ----------
    models : mapping
    label : str
    found, first : mapping of str to list
        Runs of each model: the row's, and those that it is compared with.
    """
    figures = {}
    for name, evaluation in models.items():
        runs = found[name]
        over, over_error = difference(evaluation, runs, first[name])
        figures[name] = {
            "seeds": [run["seed"] for run in runs],
            "texts": runs[0]["texts"],
            evaluation.metric: mean(run[evaluation.metric] for run in runs),
            ERROR: error_of_mean([run[ERROR] for run in runs]),
            "over": over,
            "over_error": over_error,
        }
    return {"label": label, **figures}


def cells(line: Mapping[str, Any]) -> list[str]:
    """Return the cells of a row, in the order of :data:`HEADINGS`."""
    minilm, lm = line["minilm"], line["lm"]
    return [
        line["label"],
        _with_error(minilm["error"], minilm[ERROR], 4),
        _with_error(minilm["over"], minilm["over_error"], 4),
        _with_error(lm["increase"], lm[ERROR], 2),
        _with_error(lm["over"], lm["over_error"], 2),
    ]


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table as a page has it."""
    rules = [" --- |", *[" ---: |"] * (len(HEADINGS) - 1)]
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + "".join(rules)]
    lines += ["| " + " | ".join(cells(line)) + " |" for line in rows]
    return "\n".join(lines)


def _with_error(value: float, error: float, places: int) -> str:
    """Return a figure and its standard error; nothing for a row compared with itself."""
    return f"{value:.{places}f} ± {error:.{places}f}" if error else ""
