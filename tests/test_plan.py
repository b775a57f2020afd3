"""``kllm plan``: the grid, what fits, and the sweep that builds the best."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import kllm.app
import kllm.commands.plan
import synth.sweep.cluster
from gateware.system import plan as module
from gateware.system.designs import lookup_chip
from gateware.system.estimate import Phase, estimate
from golden.base.errors import InputError, ToolError
from golden.system.memories import MEMORIES
from golden.system.shapes import MODELS
from synth.sweep.cluster import workers
from synth.sweep.plan import read_plan

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def small_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INPUTS", (16,))
    monkeypatch.setattr(module, "LANES", (16, 64))
    monkeypatch.setattr(module, "ENGINES", (1, 2))


def run(*arguments: str) -> Any:
    return CliRunner().invoke(kllm.app.build_app(), ["plan", *arguments], env={"COLUMNS": "200"})


def test_the_fastest_that_fits_is_first(tmp_path: Path) -> None:
    sweep, figure = tmp_path / "plan.toml", tmp_path / "plan.svg"
    files = ("-o", str(sweep), "--plot", str(figure))
    rows = json.loads(run("lm", "--area", "0.7", "--json", "-", *files).stdout)
    sizes = [(row["engines"], row["output_lanes"]) for row in rows]
    # Two engines of 64 lanes take 0.29 MGE beside their arrays' 0.56.
    assert set(sizes) == {(1, 16), (2, 16), (1, 64)}
    speeds = [row["tokens_per_second"] for row in rows]
    assert speeds == sorted(speeds, reverse=True)
    assert rows[0]["pareto"]
    assert rows[0]["mge"] < 0.7
    assert "<svg" in figure.read_text(encoding="utf-8")
    (point,) = read_plan(sweep).points
    changes = dict(point.changes)
    assert changes["output_lanes"] == rows[0]["output_lanes"]
    assert point.base == "minilm_a8_symmetric"


def test_one_that_is_slower_and_larger_is_not_on_the_line() -> None:
    rows = json.loads(run("llama-2-7b", "--memory", "lpddr5", "--json", "-").stdout)
    front = [row for row in rows if row["pareto"]]
    for row in rows:
        better = [
            one
            for one in rows
            if one["tokens_per_second"] >= row["tokens_per_second"] and one["mge"] < row["mge"]
        ]
        assert row["pareto"] == (not better)
    assert 0 < len(front) < len(rows)


def test_every_form_of_a_grid_is_reckoned() -> None:
    arguments = ("lm", "--inputs", "2,4", "--lanes", "4", "--engines", "1,3", "--bits-a", "5")
    rows = json.loads(run(*arguments, "--bits-a", "4", "--json", "-").stdout)
    sizes = ("bits_a", "inputs_per_beat", "output_lanes", "engines")
    found = sorted(tuple(row[key] for key in sizes) for row in rows)
    assert found == sorted(
        (bits, n, 4, count) for bits in (4, 5) for n in (2, 4) for count in (1, 3)
    )


def test_a_tile_buffer_by_hand() -> None:
    """That of chip_edge, of 768 input channels and 16 x 16 lanes, has 96 Kbit in two tiles."""
    form = module.Form(bits=8, inputs=16, lanes=16)
    assert module.buffer_kbit(form, 768) == 96
    assert module.buffer_kbit(form, 1 << 20) == module.buffer_kbit(form, 1 << 14)
    row = json.loads(run("lm", "--json", "-").stdout)[0]
    one = module.Form(bits=8, inputs=row["inputs_per_beat"], lanes=row["output_lanes"])
    # The longest layer of the model has 768 inputs, the context 1024.
    assert row["buffer_kbit"] == row["engines"] * module.buffer_kbit(one, 1024)


def in_threads(monkeypatch: pytest.MonkeyPatch, asked: list[object]) -> None:
    """Let workers be threads of this process."""

    def threads(scheduler: str | None, jobs: int | None) -> Any:
        asked.append((scheduler, jobs))
        return workers(None, jobs, processes=False)

    monkeypatch.setattr(synth.sweep.cluster, "workers", threads)


def test_workers_reckon_what_is_reckoned_here(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    in_threads(monkeypatch, asked)
    here = run("lm", "--json", "-").stdout
    assert asked == []
    assert run("lm", "--json", "-", "--jobs", "1").stdout == here
    monkeypatch.setattr(kllm.commands.plan, "FEW", 1)
    assert run("lm", "--json", "-").stdout == here
    assert run("lm", "--json", "-", "--scheduler", "tcp://host:1").stdout == here
    assert asked == [(None, 1), (None, None), ("tcp://host:1", None)]


def fails(*_: object, **__: object) -> None:
    raise OSError(28, "no room")


def test_a_worker_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    in_threads(monkeypatch, [])
    monkeypatch.setattr(module, "rows_of", fails)
    error = run("lm", "--jobs", "1").exception
    assert isinstance(error, ToolError)
    assert "the engine of 16 x 16, A8 was not reckoned: the worker could not" in str(error)


def test_the_order_is_the_same_whoever_is_done_first() -> None:
    form = module.Form(bits=8, inputs=16, lanes=16)
    question = module.Question(
        model=MODELS["lm"], memory=MEMORIES["lpddr5"], phase=Phase(context=256)
    )
    (row,) = module.rows_of(form, question, [1])
    rows = [row | {"inputs_per_beat": n, "output_lanes": 256 // n} for n in (8, 16, 32)]
    found = module.best(rows, 4)
    assert found == module.best(rows[::-1], 4)
    assert [one["pareto"] for one in found] == [True, False, False]


def test_areas_by_hand() -> None:
    chip = lookup_chip("x", 8, 16, 64, 2)
    assert module.chip_mge(chip) == pytest.approx(
        2 * (1024 * module.array_ge("lookup A8") / 1e6 + module.BESIDE_MGE)
    )


def test_the_page_s_chips_are_those_that_are_kept() -> None:
    page = " ".join((ROOT / "docs" / "system.md").read_text(encoding="utf-8").split())
    page = page.replace(chr(0xD7), "x")
    rows = json.loads((ROOT / "docs" / "plan.json").read_text(encoding="utf-8"))
    alone = next(row for row in rows if row["engines"] == 1)
    for row, said in (
        (rows[0], "eight engines of {} x {} lanes, {:.1f} MGE, {:.0f} tokens/s"),
        (alone, "one engine of {} x {}, {:.1f} MGE, brings {:.0f}"),
    ):
        size = row["inputs_per_beat"], row["output_lanes"]
        assert said.format(*size, row["mge"], row["tokens_per_second"]) in page
        chip = lookup_chip("x", 8, *size, row["engines"])
        assert module.chip_mge(chip) == pytest.approx(row["mge"])
        now = estimate(MODELS["llama-2-7b"], chip, MEMORIES["hbm2x8"], Phase())
        assert now.tokens_per_second == pytest.approx(row["tokens_per_second"])
    assert rows[0]["engines"] == 8


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lm", "--area", "0.01"], "no chip fits --area 0.01: the smallest takes 0.2"),
        (["lm", "--bits-a", "3"], "4, 5 or 8"),
        (["lm", "--inputs", "12"], "--inputs takes powers of two from 2 to 64, got 12"),
        (["lm", "--lanes", "16,512"], "--lanes takes powers of two from 4 to 256, got 512"),
        (["lm", "--lanes", "16,,"], "--lanes takes numbers with commas between them"),
        (["lm", "--engines", "0"], "--engines takes numbers from 1 to 64, got 0"),
        (["nothing"], "model"),
    ],
)
def test_what_cannot_be_planned_is_told(arguments: list[str], said: str) -> None:
    found = run(*arguments).exception
    assert isinstance(found, InputError)
    assert said in str(found)
