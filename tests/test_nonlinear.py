"""``kllm nonlinear``: its page shows what is kept, and that is what the parts take."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

import kllm.app
from gateware.points import point
from golden.accuracy import operations
from golden.accuracy.evaluations import Evaluation
from golden.accuracy.on_indices import parse_operations
from golden.accuracy.options import EvalOptions
from golden.base.errors import InputError
from synth.libraries.liberty import Library
from synth.power.part_energy import row_energy
from synth.report import nonlinear_rows
from synth.report.nonlinear import MAC, PUBLISHED, bill, designs, forms, markdown

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "docs" / "nonlinear.json"
OPERATIONS = {
    "lm": ROOT / "docs" / "operations.json",
    "minilm": ROOT / "docs" / "operations_minilm.json",
}
PAGE = (ROOT / "docs" / "nonlinear.md").read_text(encoding="utf-8")


def run(*arguments: str):
    return CliRunner().invoke(kllm.app.build_app(), [*arguments], env={"COLUMNS": "240"})


def test_page_shows_what_is_kept() -> None:
    rows = json.loads(KEPT.read_text(encoding="utf-8"))
    assert markdown(rows) in PAGE
    assert run("nonlinear", "--from", str(KEPT), "--markdown").output.strip() in PAGE
    assert "16 x fp16_add_pipelined" in run("nonlinear", "--from", str(KEPT)).output


def test_kept_areas_are_those_of_the_baseline() -> None:
    rows = json.loads(KEPT.read_text(encoding="utf-8"))
    baseline = json.loads((ROOT / "synth" / "baseline.json").read_text(encoding="utf-8"))["designs"]
    alone = [row for row in rows if len(row["parts"]) == 1]
    assert len(alone) == 5
    for row in alone:
        ((count, name),) = row["parts"]
        assert count == 1
        assert row["ge"] == pytest.approx(baseline[name]["ge"], rel=1e-3)


def test_parts_are_added_up() -> None:
    found = forms()
    every = {one.name: one for one in designs(found)}
    areas: Any = {
        name: SimpleNamespace(ge=100.0 if name == MAC else 50.0, delay_fo4=float(n))
        for n, name in enumerate(every)
    }
    pj = {name: 3.0 for name in every if name != "clustering_unit"}
    rows = bill(found, areas, pj)
    assert len(rows) == len(found) + len(PUBLISHED)
    softmax = rows[1]
    assert softmax["ge"] == 34 * 50
    assert softmax["macs"] == 17
    assert softmax["fo4"] == max(areas[name].delay_fo4 for _, name in softmax["parts"])
    # Of 256 elements: 16 beats in, 16 out, and the stages between the last one in and the first.
    assert rows[0]["cycles"] == 32 + 6
    assert rows[2]["cycles"] == 16 + 1
    # 34 parts of 3 pJ for 256 elements; one lane does 16 in as many cycles; one part is not known.
    assert [rows[n]["pj"] for n in (1, 7, 3)] == [34 * 3 / 256, 3 / 16, None]


def test_energy_is_that_of_what_comes_in(needs: Callable[[str], None], library: Library) -> None:
    """Rows in which nothing changes cost what the clock does; the first row is not counted."""
    needs("icarus")
    part = point("index_map_l4")
    numbers = nonlinear_rows.rows("index_map", 4, 4)
    assert numbers is not None
    found = row_energy(part, numbers, library, 4000)
    assert found.cycles == 4 * (len(numbers) - 1)
    same = row_energy(part, [numbers[0], *([numbers[0][-1:] * 4] * 4)], library, 4000)
    clock = {one.block: one.clock for one in found.blocks}
    assert clock == {one.block: one.clock for one in same.blocks}
    assert same.total - sum(clock.values()) < 0.1 * (found.total - sum(clock.values()))


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('[{"label": 1}]')
    found = run("nonlinear", "--from", str(tmp_path / "x.json")).exception
    assert isinstance(found, InputError)
    assert "`kllm nonlinear --json` writes" in str(found)


@pytest.mark.parametrize("what", operations.STUDIES)
def test_operations_of_the_page_are_those_that_are_kept(what: str) -> None:
    file, study = OPERATIONS[what], operations.STUDIES[what]
    rows = json.loads(file.read_text(encoding="utf-8"))
    assert study.markdown(rows) in PAGE
    call = ("operations", what, "--from", str(file))
    assert run(*call, "--markdown").output.strip() in PAGE
    assert operations.REFERENCE in run(*call).output

    kinds = dict(study.kinds(EvalOptions()))
    assert {row["label"] for row in rows} <= kinds.keys()
    for row in rows:
        assert (row["seeds"], row["texts"]) == ([*range(study.seeds)], study.texts)


def test_tables_of_operations_are_known() -> None:
    found = run("operations", "attension", "--markdown").exception
    assert isinstance(found, InputError)
    assert "attention" in str(found)


def test_operations_are_compared_with_the_same_seeds() -> None:
    """Each label's runs meet those of the first label that have their seeds."""

    def difference(run: dict[str, Any], other: dict[str, Any]) -> tuple[float, float]:
        assert run["seed"] == other["seed"]
        return run["increase"] - other["increase"], 0.3

    evaluation = Evaluation("", "increase", lambda *_: {}, difference=difference)
    found = [
        {"label": label, "seed": seed, "texts": 8, "increase": float(value)}
        for label, seed, value in (("a", 0, 1), ("a", 1, 2), ("b", 1, 5), ("c", 0, 2), ("c", 1, 4))
    ]
    rows = operations.rows_of(evaluation, found)
    assert [(row["over"], row["seeds"]) for row in rows] == [(0, [0, 1]), (3, [1]), (1.5, [0, 1])]
    assert rows[1]["over_error"] == pytest.approx(0.3)
    assert rows[2]["over_error"] == pytest.approx(0.3 / 2**0.5)


@pytest.mark.parametrize(
    ("what", "metric", "each"),
    [
        (
            "lm",
            "increase",
            [(), ("softmax",), ("silu",), ("norm",), ("softmax", "silu", "norm")],
        ),
        (
            "minilm",
            "error",
            [
                *((), ("softmax",), ("kv",), ("kv_level",), ("q",), ("softmax", "kv_level", "q")),
                *(("gelu",), ("gelu5",), ("gelu6",)),
            ],
        ),
    ],
)
def test_every_operation_is_measured(what: str, metric: str, each: list[tuple[str, ...]]) -> None:
    asked = []

    def evaluate(options: Any, _: Any) -> dict[str, Any]:
        asked.append((options.on_indices, options.seed, options.texts))
        return {metric: 1.0}

    evaluation = Evaluation("", metric, evaluate, difference=lambda *_: (0.0, 0.1))
    kept: list[int] = []
    study = operations.STUDIES[what]
    study.measure(evaluation, lambda rows: kept.append(len(rows)))
    assert asked == [(one, seed, study.texts) for one in each for seed in range(study.seeds)]
    assert kept[-1] == len(each)
    for names in each:
        assert parse_operations(",".join(names), what) == names
