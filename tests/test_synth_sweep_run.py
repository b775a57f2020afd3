"""Sweeps: what becomes of points and workers, and what is kept."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from distributed import Client
from typer.testing import CliRunner

import kllm.app
import synth.sweep.cluster
from golden.base.cache import Cache
from golden.base.errors import ToolError
from synth.sweep.cluster import run_all, workers
from synth.sweep.plan import plan
from synth.sweep.points import Point
from synth.sweep.run import Measured, known_points, run_points

GRID = {"base": "tiny", "grid": {"output_lanes": [4, 8, 16]}, "layer": {"outliers_percent": 0}}
EXAMPLE = Path(kllm.__file__).parents[1] / "synth" / "sweep" / "lanes.toml"


def cheap(point: Point, timeout: float) -> dict[str, float]:
    """Measure nothing: figures that follow from the lanes."""
    lanes = int(dict(point.changes)["output_lanes"])
    if lanes == 8:
        raise ToolError("no tool")
    if lanes == 32:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return {"ge": lanes * 10.0, "microseconds": 1 / lanes, "delay_fo4": 40.0, "cycles": 1.0}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Return workers that are threads of this process."""
    with workers(None, 1, processes=False) as client:
        yield client


def test_points_are_kept_and_failures_are_tried_again(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep, cache = plan(GRID), Cache(tmp_path)
    found, missing = known_points(sweep, cache)
    assert (len(found), len(missing)) == (0, 3)
    told: list[Measured] = []
    run_points(client, missing, cache, told.append, timeout=1, measure=cheap)
    (failed,) = (one for one in told if one.problem)
    assert (dict(failed.point.changes), failed.problem) == ({"output_lanes": 8}, "no tool")
    found, missing = known_points(sweep, cache)
    assert [figures["ge"] for figures in found.values()] == [40.0, 160.0]
    assert list(missing.values()) == [failed.point]
    monkeypatch.setattr("synth.area.measure.Area.__dataclass_fields__", {"new": None})
    assert not known_points(sweep, cache)[0]  # another kind of figures


def test_full_disk_loses_no_figure(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    cache = Cache(tmp_path)
    sweep = plan({**GRID, "grid": {"output_lanes": [4, 16, 32]}})  # the last one fills a worker's
    monkeypatch.setattr("golden.base.files.os.replace", full)
    told: list[Measured] = []
    _, missing = known_points(sweep, cache)
    run_points(client, missing, cache, told.append, timeout=1, measure=cheap)
    assert sum(bool(one.figures) for one in told) == 2
    (failed,) = (one.problem for one in told if one.problem)
    assert failed == "the worker could not read or write: [Errno 28] No space left on device"
    assert cache.complaint.startswith("results are not kept: cannot write ")
    assert cache.complaint.endswith("No space left on device")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_killed_worker_costs_one_task() -> None:
    """Real processes; who does the second task is killed, however often it is tried."""

    def work(number: int) -> int:
        import os
        import signal

        if number == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return number * 10

    told: dict[str, tuple[object, str]] = {}

    def done(key: str, result: object, problem: str) -> None:
        told[key] = (result, problem)

    with workers(None, 1) as client:
        run_all(client, {"a": 1, "b": 2, "c": 3}, work, done)
    assert told.pop("b")[1].startswith("its worker was killed each time")
    assert told == {"a": (10, ""), "c": (30, "")}


def run_command(*arguments: str):
    return CliRunner().invoke(kllm.app.build_app(), ["sweep", *arguments])


def test_no_scheduler_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synth.sweep.cluster, "REACH_SECONDS", 0.3)
    monkeypatch.setenv("KLLM_CACHE", str(tmp_path))
    for address in ("tcp://127.0.0.1:9", "nonsense"):
        result = run_command(str(EXAMPLE), "--scheduler", address, "--json", str(tmp_path / "x"))
        assert isinstance(result.exception, ToolError)
        assert f"no Dask scheduler answers at {address}: start one" in str(result.exception)
    assert not (tmp_path / "x").exists()


def test_command_goes_on_where_it_was(
    client: Client, library: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real point, measured once; the second time nobody is asked to work."""

    @contextmanager
    def here(*args: object) -> Iterator[Client]:
        yield client

    path, file = tmp_path / "s.json", tmp_path / "s.toml"
    file.write_text(
        "base = 'int4_lane'\nmeasure = ['area', 'delay']\ngrid = {inputs_per_beat = [4], inputs_max"
        " = 64}"
    )
    monkeypatch.setenv("KLLM_CACHE", str(tmp_path))
    monkeypatch.setattr(synth.sweep.cluster, "workers", here)
    result = run_command(str(file), "--json", str(path), "--plot", str(tmp_path / "s.svg"))
    assert result.exit_code == 0, result.output
    before = path.read_text()
    (point,) = json.loads(before)["points"]
    assert point["pareto"]
    assert 100 < point["figures"]["ge"] < 1000
    assert 5 < point["figures"]["delay_fo4"] < 60
    assert "<svg" in (tmp_path / "s.svg").read_text()
    monkeypatch.setattr(synth.sweep.cluster, "workers", None)
    assert run_command(str(file), "--json", str(path)).exit_code == 0
    assert path.read_text() == before


def test_failed_points_are_said_and_the_others_written(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def here(*args: object) -> Iterator[Client]:
        yield client

    monkeypatch.setenv("KLLM_CACHE", str(tmp_path))
    monkeypatch.setattr(synth.sweep.cluster, "workers", here)
    monkeypatch.setattr("synth.sweep.run.run_points.__kwdefaults__", {"measure": cheap})
    file, path = tmp_path / "s.toml", tmp_path / "s.json"
    file.write_text("base = 'tiny'\nmeasure = ['cycles']\ngrid.output_lanes = [4, 8, 16]")
    result = run_command(str(file), "--json", str(path))
    assert isinstance(result.exception, ToolError)
    assert str(result.exception).startswith("1 of 3 points failed (tiny, output_lanes = 8, default")
    assert [bool(p["figures"]) for p in json.loads(path.read_text())["points"]] == [
        True,
        False,
        True,
    ]
