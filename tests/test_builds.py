"""Build folders: a build that was broken off is begun anew, and an empty log says so."""

from collections.abc import Callable
from pathlib import Path

import pytest

import sim.harness.model
from golden.base.errors import ToolError
from sim.harness.model import build_model
from sim.kit.builds import see, whole_build
from sim.kit.simulators import make_runner

LEFT = {"half.o": 0o644, "Vtop__ALL.a": 0o644, "Vtop__verFiles.dat": 0o644, "program": 0o755}
KEPT = {"top.v": 0o644, "task.npz": 0o644, "task": 0o644, "run.sh": 0o755}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, mode in (LEFT | KEPT).items():
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(mode)
    return tmp_path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_a_killed_build_leaves_is_not_taken_for_whole(folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt), whole_build(folder):
        raise KeyboardInterrupt
    assert set(LEFT) < names(folder)
    with whole_build(folder):
        assert names(folder) - {"unfinished"} == set(KEPT)
    assert names(folder) == set(KEPT)


def test_what_a_build_made_stays_for_the_next(folder: Path) -> None:
    for _ in range(2):
        with whole_build(folder):
            assert set(LEFT) < names(folder)


def test_a_model_whose_build_failed_is_built_anew(
    folder: Path, needs: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("verilator")
    monkeypatch.setenv("KLLM_CACHE", "")
    status, seen = 1, []
    (folder / "p.cpp").write_text("int main() {}")

    def run(*_: object, **__: object) -> tuple[int, str]:
        seen.append("half.o" in names(folder))
        (folder / "p").write_text("built")
        return status, ""

    monkeypatch.setattr(sim.harness.model, "run_limited", run)

    def build() -> Path:
        return build_model(folder, "module top(); endmodule", "top", folder / "p.cpp", prefix="V")

    with pytest.raises(ToolError, match=r"build\.log is empty: is there room on its disk\?"):
        build()
    status = 0
    assert build().read_text() == "built"
    assert seen == [True, False]


def test_an_empty_log_is_no_reason(needs: Callable[[str], None], tmp_path: Path) -> None:
    """A simulator on a full disk ends with a status and cannot say why."""
    needs("icarus")
    runner = make_runner("icarus")
    runner.task, runner.limit, runner.watch = "try", 9.0, None
    runner.env, runner.log_file = {}, tmp_path / "run.log"
    for said, end in (("", r".*run\.log is empty: is there room"), ("why", r"see .*run\.log")):
        runner.log_file.write_text(said)
        with pytest.raises(ToolError, match=rf"false ended with status 1; {end}"):
            runner._execute_cmds([["/bin/false"]], tmp_path)
    assert see(tmp_path / "none.log").startswith(f"{tmp_path / 'none.log'} is empty")
