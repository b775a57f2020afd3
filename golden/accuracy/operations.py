"""Tables of operations on indices: what each adds to a quantised model's loss."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean
from typing import TYPE_CHECKING, Any

from golden.accuracy.figures import Runs, by_label, difference, measure_all
from golden.accuracy.on_indices import OPERATIONS, with_operations
from golden.accuracy.options import EvalOptions

if TYPE_CHECKING:
    from golden.accuracy.evaluations import Evaluation

REFERENCE = "this project, W4A4"
Kinds = Iterator[tuple[str, EvalOptions]]


def lm_kinds(options: EvalOptions) -> Kinds:
    """Yield label and options of the language model's runs: none, each alone, all."""
    return with_operations(REFERENCE, options, OPERATIONS["lm"])


def minilm_kinds(options: EvalOptions) -> Kinds:
    """Yield label and options of MiniLM's runs."""
    yield REFERENCE, options
    for label, names in (
        ("softmax on indices", ("softmax",)),
        ("keys and values as the chip's", ("kv",)),
        ("the same, scales that keep squares", ("kv_level",)),
        ("queries on 4-bit indices", ("q",)),
        ("all attention, scales that keep squares", ("softmax", "kv_level", "q")),
        ("GELU on 4-bit indices", ("gelu",)),
        ("GELU on 5-bit indices", ("gelu5",)),
        ("GELU on 6-bit indices", ("gelu6",)),
    ):
        yield label, replace(options, on_indices=names)


@dataclass(frozen=True)
class Study:
    """A table of operations on indices.

    Parameters
    ----------
    model : str
        A name in :data:`golden.accuracy.evaluations.EVALUATIONS`.
    kinds : callable
        Takes the options of all runs; yields label and options of each kind, the reference first.
    headings : tuple of str
    metric : str
        As of the model's evaluation.
    texts, seeds : int
    times : int
        What the metric is multiplied by for the table.
    """

    model: str
    kinds: Callable[[EvalOptions], Kinds]
    headings: tuple[str, ...]
    metric: str
    texts: int
    seeds: int = 3
    times: int = 1

    def measure(
        self, evaluation: "Evaluation", report: Callable[[list[dict[str, Any]]], object]
    ) -> list[dict[str, Any]]:
        """Measure the model with each kind; report rows after each run."""
        kinds = dict(self.kinds(EvalOptions(texts=self.texts)))
        rows: list[dict[str, Any]] = []
        for found in measure_all(evaluation, kinds, range(self.seeds)):
            rows = rows_of(evaluation, found)
            report(rows)
        return rows

    def cells(self, row: Mapping[str, Any]) -> list[str]:
        """Return the cells of a row, in the order of the headings."""
        over, error = (self.times * row[name] for name in ("over", "over_error"))
        places = 3 if self.times == 1 else 2
        paired = f"{over:+.{places}f} ± {error:.{places}f}" if error else ""
        return [
            row["label"],
            str(len(row["seeds"])),
            f"{self.times * row[self.metric]:.2f}",
            paired,
        ]

    def markdown(self, rows: Sequence[Mapping[str, Any]]) -> str:
        """Return the table as docs/nonlinear.md has it."""
        aligned = ("---", *["---:"] * (len(self.headings) - 1))
        lines = [self.headings, aligned, *map(self.cells, rows)]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)


STUDIES: Mapping[str, Study] = {
    "lm": Study(
        "lm",
        lm_kinds,
        ("", "seeds", "perplexity over FP32's", "more than without"),
        "increase",
        texts=128,
        seeds=4,
    ),
    "minilm": Study(
        "minilm",
        minilm_kinds,
        ("", "seeds", "error, 1/1000", "more than without"),
        "error",
        texts=128,
        seeds=1,
        times=1000,
    ),
}


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
