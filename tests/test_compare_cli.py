"""``kllm sim compare``: figures of a small engine, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import kllm.app
import sim.outliers.outlier_table
from gateware.outlier_engines import comparisons, outlier_designs
from gateware.points import CATALOGUE
from golden.base.errors import InputError, ToolError
from sim.outliers.outlier_vectors import made_up


def invoke(*arguments: str):
    words = ["sim", "compare", "--simulator=icarus", "--no-minilm", *arguments]
    return CliRunner().invoke(kllm.app.build_app(), words)


def test_figures_of_a_unit(tmp_path: Path) -> None:
    files = [f"--json={tmp_path / 'f.json'}", f"--plot={tmp_path / 'f.png'}"]
    result = invoke("orizuru_unit", "--tokens=2", *files)
    assert result.exit_code == 0, result.exception
    (row,) = json.loads((tmp_path / "f.json").read_text())
    assert row["mismatches"] == 0
    assert row["comparisons"] == 40  # 1.5 * 16 + 2 * 4 * 4 - 2 * 4 - 2 * 4
    assert row["comparisons_exact"]
    # The first of four outliers after the latency, the others every three cycles.
    assert row["cycles"]["equal"] == {"mean": 4, "worst": 4, "to_last": 13}
    assert 3000 < row["ge"] < 6000
    assert row["delay_fo4"] <= 45
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")
    assert "orizuru_unit" in result.output


def test_a_wrong_engine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*arguments: object, **options: object):
        run = right(*arguments, **options)  # pyright: ignore[reportArgumentType]
        run.positions[0, 0] ^= 1
        return run

    right = sim.outliers.outlier_table.run_engine
    monkeypatch.setattr(sim.outliers.outlier_table, "run_engine", wrong)
    result = invoke("orizuru_unit", "--tokens=1", "--no-area")
    assert isinstance(result.exception, ToolError)
    assert "1 outliers differ" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["orizuru_unite"], "'orizuru_unite'"),
        (["minilm"], "no outlier engine"),
        (["--tokens=0"], "from 1 to 64"),
        (["--no-area", "--plot=x.png"], "--no-area"),
    ],
)
def test_bad_options_are_refused(arguments: list[str], said: str) -> None:
    result = invoke(*arguments)
    assert isinstance(result.exception, InputError), result.output
    assert said in str(result.exception)


def test_kinds_of_vectors() -> None:
    kinds = made_up(50, 3, seed=1)
    values = {name: x.view(np.float16).astype(float) for name, x in kinds.items()}
    assert values["random"].shape == (3, 50)
    assert (np.diff(values["sorted"]) >= 0).all()
    assert (np.diff(values["reversed"]) <= 0).all()
    assert len(np.unique(values["equal"])) == 1
    assert len(np.unique(values["two-valued"])) == 2
    np.testing.assert_array_equal(made_up(50, 3, seed=1)["random"], kinds["random"])


def test_comparisons_of_every_engine() -> None:
    # Of the trees by hand: 1.5 N + 2 k log2 N - 2 k - 2 log2 N, and with units that look ahead
    # 2 (16 * 4 + 256 * 3) more for their first keys and 2 (3 + 4 + ...) a pop at most.
    designs = outlier_designs(CATALOGUE.values())
    tree, exact = comparisons(designs["orizuru_tree"], 0)
    flat = 1.5 * 4096 + 2 * 21 * 12 - 2 * 21 - 2 * 12
    assert exact
    assert flat < tree < 1.3 * flat
    # 16 lanes with a threshold each and 21 list entries, on both sides.
    assert comparisons(designs["orizuru_stream_16"], 100) == (7400, False)
    for design in designs.values():
        assert comparisons(design, 100)[0] > 0
