"""``kllm sim orizuru`` on vectors of all kinds, and what it refuses."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import kllm.app
import sim.outliers.orizuru_run
from golden.base.errors import InputError, ToolError


@pytest.fixture
def vectors(tmp_path: Path) -> Callable[[np.ndarray], str]:
    def write(x: np.ndarray) -> str:
        np.save(tmp_path / "x.npy", x)
        return f"--input={tmp_path / 'x.npy'}"

    return write


def invoke(*arguments: str):
    words = ["sim", "orizuru", "--simulator=icarus", *arguments]
    return CliRunner().invoke(kllm.app.build_app(), words)


def tokens(inputs: int) -> np.ndarray:
    """Return random, sorted, constant and two-valued vectors, and both zeros."""
    rng = np.random.default_rng(inputs)
    x = rng.standard_t(3, (8, inputs)).astype(np.float16)
    x[1], x[2] = np.sort(x[1]), np.sort(x[2])[::-1]
    x[3] = 2.5
    x[4] = rng.choice(np.array([-1, 1], np.float16), inputs)
    x[5] = rng.choice(np.array([0.0, -0.0], np.float16), inputs)
    x[6] = rng.choice(np.array([65504, -65504, 6e-8, -6e-8], np.float16), inputs)
    return x


@pytest.mark.parametrize(
    ("engine", "inputs", "k", "per_beat"),
    [
        ("stream", 40, 3, 16),
        ("stream", 33, 5, 4),
        ("stream", 7, 7, 16),
        ("stream", 1, 1, 2),
        ("stream", 100, 9, 32),
        ("stream", 120, 60, 8),
        ("unit", 16, 4, 8),
        ("tree", 40, 3, 16),
        ("bitonic", 33, 5, 8),
        ("quick_select", 33, 5, 8),
    ],
)
def test_finds_what_a_stable_sort_finds(
    vectors: Callable[[np.ndarray], str],
    tmp_path: Path,
    engine: str,
    inputs: int,
    k: int,
    per_beat: int,
) -> None:
    x = tokens(inputs)
    result = invoke(
        vectors(x),
        f"--engine={engine}",
        f"--k={k}",
        f"--per-beat={per_beat}",
        f"--dump={tmp_path / 'f.npz'}",
        f"--json={tmp_path / 'f.json'}",
    )
    assert result.exit_code == 0, result.exception
    real = x.astype(np.float64) + 0.0  # both zeros alike
    with np.load(tmp_path / "f.npz") as found:
        for side, values in (("max", -real), ("min", real)):
            order = np.argsort(values, axis=1, kind="stable")[:, :k]
            np.testing.assert_array_equal(found[f"{side}_index"], order)
            expected = np.take_along_axis(x, order, axis=1)
            np.testing.assert_array_equal(found[f"{side}_value"], expected)
        assert (found["cycles"] >= -(-inputs // per_beat)).all()
        cycles = found["cycles"]
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures["mismatches"] == figures["nonfinite"] == 0
    assert figures["cycles"]["mean"] == pytest.approx(cycles.mean())


def test_nan_and_infinity_count_as_zero_and_are_reported(
    vectors: Callable[[np.ndarray], str], tmp_path: Path
) -> None:
    x = np.array([[1, np.nan, -2, np.inf, -np.inf]], np.float16)
    outputs = [f"--json={tmp_path / 'f.json'}", f"--dump={tmp_path / 'f.npz'}"]
    result = invoke(vectors(x), "--k=2", "--per-beat=4", *outputs)
    assert result.exit_code == 0, result.exception
    assert json.loads((tmp_path / "f.json").read_text())["nonfinite"] == 3
    with np.load(tmp_path / "f.npz") as found:
        assert found["max_index"].tolist() == [[0, 1]]
        assert found["max_value"].tolist() == [[1, 0]]
        assert found["min_index"].tolist() == [[2, 1]]


def test_float32_is_rounded_and_a_waveform_is_where_it_says(
    vectors: Callable[[np.ndarray], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``kllm run`` takes such numbers too; 1.0001 and 1 are the same in FP16."""
    monkeypatch.setenv("WAVES", "1")
    result = invoke(vectors(np.array([[1, 1.0001, -2, 0.1]], np.float32)), "--k=1", "--per-beat=4")
    assert result.exit_code == 0, result.exception
    (waves,) = re.findall(r"^waveform: (.*)$", result.stderr, re.M)
    assert Path(waves).stat().st_size > 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--k=0"], "from 1 to the vectors' length, 6"),
        (["--k=7"], "got 7"),
        (["--k=2", "--per-beat=3"], "power of two"),
        (["--k=2", "--per-beat=512"], "values_per_beat"),
        (["--k=2", "--engine=treee"], "'treee'"),
        (["--k=2", "--engine=unit", "--per-beat=2"], "power of two"),
        (["--k=2", "--engine=tree", "--per-beat=1"], "values_per_beat"),
        (["--k=2", "--input=nowhere.npy"], "nowhere.npy"),
    ],
)
def test_bad_options_are_refused(
    vectors: Callable[[np.ndarray], str], options: list[str], said: str
) -> None:
    result = invoke(vectors(np.ones((2, 6), np.float16)), *options)
    assert isinstance(result.exception, InputError), result.output
    assert said in str(result.exception)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (np.ones((2, 6), np.int32), "dtype"),
        (np.full((2, 6), 7e4), "must fit FP16"),
        (np.ones(6, np.float16), "shape"),
        (np.ones((0, 6), np.float16), "shape"),
    ],
)
def test_bad_vectors_are_refused(
    vectors: Callable[[np.ndarray], str], x: np.ndarray, said: str
) -> None:
    result = invoke(vectors(x), "--k=1")
    assert isinstance(result.exception, InputError), result.output
    assert said in str(result.exception)


def test_an_engine_that_errs_is_told(
    vectors: Callable[[np.ndarray], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*arguments: object, **options: object):
        run = right(*arguments, **options)  # pyright: ignore[reportArgumentType]
        run.positions[0, 0] += 1
        return run

    right = sim.outliers.orizuru_run.run_engine
    monkeypatch.setattr(sim.outliers.orizuru_run, "run_engine", wrong)
    result = invoke(vectors(tokens(6)), "--k=1", "--per-beat=2")
    assert isinstance(result.exception, ToolError)
