"""Finding tools: what is there, what is not, and the sentence about it."""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import golden.base.tools
import sim.kit.tools
import synth.libraries.tools
from golden.base.errors import ToolError
from golden.base.tools import (
    judge_version,
    model_directory,
    program,
    python_package,
    version_numbers,
)


@pytest.mark.parametrize(
    ("text", "numbers"), [("2.1.0", (2, 1, 0)), ("0.70", (0, 70)), ("5rc1", (5,)), ("x", ())]
)
def test_version_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert version_numbers(text) == numbers


def test_versions_compare_by_number_not_by_letter() -> None:
    assert judge_version("10.0", "9.1") == ""
    assert judge_version("9.1", "10.0") == "10.0 or newer is needed"


def test_python_package_found_old_or_missing() -> None:
    found = python_package("numpy", purpose="x", minimum="2")
    assert found.will_do
    assert found.version == importlib.metadata.version("numpy")
    assert python_package("numpy", purpose="x", minimum="999").problem == "999 or newer is needed"
    assert python_package("no-such-thing", purpose="x", minimum="1").problem == "not installed"
    no_module = python_package("numpy", purpose="x", minimum="2", module="no_such_module")
    assert not no_module.will_do


def on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> None:
    """Make PATH hold these shell scripts and nothing else."""
    for name, script in scripts.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.parametrize(
    ("script", "version", "problem"),
    [
        ("echo Tool version 11.0 '(stable)'", "11.0", ""),
        ("echo Tool version 10.3 >&2", "10.3", "11 or newer is needed"),
        ("echo no number", "unknown", ""),
        ("exit 3", "", "`tool -V` fails"),
    ],
)
def test_program_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, version: str, problem: str
) -> None:
    on_path(tmp_path, monkeypatch, tool=script)
    found = program("Tool", ["tool", "-V"], package="tool", purpose="x", minimum="11")
    assert (found.version, found.problem) == (version, problem)


def test_program_that_is_missing_names_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path(tmp_path, monkeypatch)
    found = program("Tool", ["tool"], package="tool-bin", purpose="x")
    assert (found.problem, found.get) == ("no tool on PATH", "apt-get install tool-bin")


def test_model_directory_holds_the_files_and_runs_no_code() -> None:
    command = (
        "import sys, golden.base.tools; print(golden.base.tools.model_directory());"
        "assert not any(name.startswith('gt_all') for name in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    assert json.loads((folder / "config.json").read_text(encoding="utf-8"))["hidden_size"] == 384
    assert (folder / "model.safetensors").stat().st_size > 80_000_000


def test_model_directory_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden.base.tools, "MODEL_PACKAGE", "no-such-model")
    with pytest.raises(ToolError, match="no-such-model is not installed: run `make setup`"):
        model_directory()


def test_model_directory_with_a_file_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden.base.tools, "MODEL_FILES", ("config.json", "gone.json"))
    with pytest.raises(ToolError, match=r"gone\.json is missing"):
        model_directory()
    tool = next(
        t for t in golden.base.tools.requirements() if t.name == golden.base.tools.MODEL_PACKAGE
    )
    assert not tool.will_do


def test_verilator_environment_finds_the_package_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoy = tmp_path / "verilator"
    decoy.write_text("#!/bin/sh\n", encoding="utf-8")
    decoy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    environment = sim.kit.tools.verilator_environment()
    found = shutil.which("verilator", path=environment["PATH"])
    assert found == str(Path(environment["VERILATOR_ROOT"]) / "bin" / "verilator")


def test_verilator_environment_runs_verilator(tmp_path: Path) -> None:
    (tmp_path / "good.v").write_text("module good; endmodule\n", encoding="utf-8")
    (tmp_path / "bad.v").write_text("module bad; endmodul\n", encoding="utf-8")
    environment = os.environ | sim.kit.tools.verilator_environment()
    for name, status in (("good.v", True), ("bad.v", False)):
        command = ["verilator", "--lint-only", name]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)
        assert (done.returncode == 0) is status


def test_verilator_needs_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(tmp_path, monkeypatch, make="", perl="")
    with pytest.raises(ToolError, match=r"g\+\+, not on PATH: run `apt-get install g\+\+`"):
        sim.kit.tools.verilator_environment()


def test_verilator_on_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(ToolError, match=r"no wheel for aarch64.*--simulator icarus"):
        sim.kit.tools.verilator_environment()
    assert "verilator" not in [tool.name for tool in sim.kit.tools.requirements()]


def test_icarus_needs_both_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(tmp_path, monkeypatch, iverilog="")
    with pytest.raises(ToolError, match="vvp is not on PATH: run `apt-get install iverilog`"):
        sim.kit.tools.require_icarus()
    on_path(tmp_path, monkeypatch, vvp="")
    sim.kit.tools.require_icarus()


def test_default_liberty_obeys_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.lib"
    monkeypatch.setenv(synth.libraries.tools.LIBERTY_VARIABLE, str(own))
    with pytest.raises(ToolError, match=r"KLLM_LIBERTY names .*own\.lib"):
        synth.libraries.tools.default_liberty()
    own.touch()
    assert synth.libraries.tools.default_liberty() == own


def test_default_liberty_missing_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(synth.libraries.tools.LIBERTY_VARIABLE, raising=False)
    monkeypatch.setattr(synth.libraries.tools, "LIBERTY_FILE", Path("/nowhere/cells.lib"))
    with pytest.raises(ToolError, match=r"apt-get install qflow-tech-osu018`.*--liberty"):
        synth.libraries.tools.default_liberty()
    found = {tool.name: tool for tool in synth.libraries.tools.requirements()}
    assert not found["cell library"].will_do
