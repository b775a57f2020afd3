"""The table of nonlinear operations on indices: what each adds to the quantised model's loss."""

from collections.abc import Callable, Mapping, Sequence
from statistics import mean
from typing import TYPE_CHECKING, Any

from golden.accuracy.figures import Runs, by_label, difference, measure_all
from golden.accuracy.on_indices import OPERATIONS, with_operations
from golden.accuracy.options import EvalOptions

if TYPE_CHECKING:
    from golden.accuracy.evaluations import Evaluation

MODEL, SEEDS, TEXTS = "lm", range(3), 128
REFERENCE = "this project, W4A4"
HEADINGS = ("", "seeds", "perplexity over FP32's", "more than without")


def measure_operations(
    evaluation: "Evaluation", report: Callable[[list[dict[str, Any]]], object]
) -> list[dict[str, Any]]:
    """Measure the language model with each operation on indices; report rows after each run."""
    kinds = dict(with_operations(REFERENCE, EvalOptions(texts=TEXTS), OPERATIONS[MODEL]))
    rows: list[dict[str, Any]] = []
    for found in measure_all(evaluation, kinds, SEEDS):
        rows = rows_of(evaluation, found)
        report(rows)
    return rows


def rows_of(evaluation: "Evaluation", found: Runs) -> list[dict[str, Any]]:
    """Return a row for each label, ready for JSON: means over its seeds, each against the first's.

    The first label must have all seeds that others have.
    """
    groups = by_label(found)
    first = {run["seed"]: run for run in next(iter(groups.values()))}
    rows = []
    for label, runs in groups.items():
        over, error = difference(evaluation, runs, [first[run["seed"]] for run in runs])
        rows.append(
            {
                "label": label,
                "seeds": [run["seed"] for run in runs],
                "texts": runs[0]["texts"],
                evaluation.metric: mean(run[evaluation.metric] for run in runs),
                "over": over,
                "over_error": error,
            }
        )
    return rows


def cells(row: Mapping[str, Any]) -> list[str]:
    """Return the cells of a row, in the order of :data:`HEADINGS`."""
    paired = f"{row['over']:+.3f} ± {row['over_error']:.3f}" if row["over_error"] else ""
    return [row["label"], str(len(row["seeds"])), f"{row['increase']:.2f}", paired]


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table as docs/nonlinear.md has it."""
    lines = [HEADINGS, ("---", *["---:"] * (len(HEADINGS) - 1)), *map(cells, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
