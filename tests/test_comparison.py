"""The table of accuracies: what is measured for it, and that the page shows what is kept."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kllm.app
from golden.accuracy import comparison
from golden.accuracy.comparison import KINDS, MEASURED, REFERENCE, compare, markdown
from golden.accuracy.evaluations import Evaluation
from golden.accuracy.options import EvalOptions
from golden.base.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "docs" / "accuracy.json"
PAGE = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")


def run(*arguments: str):
    return CliRunner().invoke(
        kllm.app.build_app(), ["accuracy", *arguments], env={"COLUMNS": "160"}
    )


def test_page_shows_what_is_kept() -> None:
    rows = json.loads(KEPT.read_text(encoding="utf-8"))
    assert [row["label"] for row in rows] == [*KINDS]
    for row in rows:
        for model, (seeds, texts) in MEASURED.items():
            assert (row[model]["seeds"], row[model]["texts"]) == ([*seeds], texts)
    assert markdown(rows) in PAGE
    assert run("--from", str(KEPT), "--markdown").output.strip() in PAGE
    assert REFERENCE in run("--from", str(KEPT)).output


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('[{"label": 1}]')
    assert "`kllm accuracy --json` writes" in str(run("--from", str(tmp_path / "x.json")).exception)
    assert isinstance(run("--from", str(tmp_path / "no.json")).exception, InputError)


def test_rows_are_means_over_seeds_and_differences_to_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A toy loses 0.1 a bit that is left out, and 0.01 a seed: 0.4 more for 4 bits than for 8."""

    def evaluate(options: EvalOptions, progress):
        asked.append((options.bits_a, options.seed, options.texts))
        return {"loss": 0.1 * (16 - options.bits_a) + 0.01 * options.seed, "standard_error": 0.3}

    def difference(run, other):
        return run["loss"] - other["loss"], 0.2

    asked: list[tuple[int, int, int]] = []
    monkeypatch.setattr(comparison, "MEASURED", {"toy": (range(3, 5), 7)})
    toy = Evaluation("Toy", "loss", evaluate, difference=difference)
    seen: list[int] = []
    kinds = {"eight": EvalOptions(bits_a=8), "four": EvalOptions()}
    rows = compare({"toy": toy}, lambda rows: seen.append(len(rows)), kinds)
    assert asked == [(8, 3, 7), (8, 4, 7), (4, 3, 7), (4, 4, 7)]
    assert seen == [1, 2]
    assert rows[1]["label"] == "four"
    figures = rows[1]["toy"]
    assert figures["seeds"] == [3, 4]
    assert figures["loss"] == pytest.approx(1.235)
    assert figures["standard_error"] == pytest.approx(0.3 / 2**0.5)
    assert figures["over"] == pytest.approx(0.4)
    assert figures["over_error"] == pytest.approx(0.2 / 2**0.5)
