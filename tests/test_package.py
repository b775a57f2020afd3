"""The installed package: every file that commands read, and builds where the user is."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from golden.base.files import BUILD_VARIABLE

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("golden", "hw", "gateware", "sim", "synth", "kllm")
# Builds the wheel as pip does, of what git has, without fetching anything.
BUILD = """
import sys
from setuptools.build_meta import build_wheel
print(build_wheel(sys.argv[1]))
"""


def tracked() -> set[str]:
    """Return the files of the repository that belong into the package."""
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *FOLDERS],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if done.returncode:
        pytest.skip("this is no git checkout")
    return {name for name in done.stdout.splitlines() if (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what a wheel of the tracked files has."""
    folder = tmp_path_factory.mktemp("package")
    for name in [*tracked(), "pyproject.toml", "README.md", "LICENSE"]:
        copy = folder / "source" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.symlink_to(ROOT / name)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)],
        capture_output=True,
        text=True,
        cwd=folder / "source",
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def test_a_wheel_has_every_tracked_file(installed: Path) -> None:
    packed = {
        str(path.relative_to(installed))
        for path in installed.rglob("*")
        if path.is_file() and path.relative_to(installed).parts[0] in FOLDERS
    }
    assert packed == tracked()


def in_a_folder(site: Path, folder: Path, script: str) -> str:
    """Run a script with the installed package in a user's folder and return what it prints."""
    environment = {key: value for key, value in os.environ.items() if key != BUILD_VARIABLE}
    environment |= {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_installed_commands_find_their_files(installed: Path, tmp_path: Path) -> None:
    script = """
from pathlib import Path
import golden, sim.harness.harness, sim.harness.fp16_sweep, synth.area.baseline
from golden.models.lm.model import CHECKPOINT
from golden.models.lm.tokens import TOKENIZER_FILE
from synth.sweep.plan import read_plan
print(golden.__file__)
for file in (CHECKPOINT, TOKENIZER_FILE, synth.area.baseline.FILE,
             sim.harness.harness.SOURCE, sim.harness.fp16_sweep.SOURCE):
    assert file.is_file(), file
for name in ("lanes", "lookup_trees"):
    assert read_plan(Path(f"synth/sweep/{name}.toml"))
"""
    said = in_a_folder(installed, tmp_path, script)
    assert said == f"{installed}/golden/__init__.py\n", "another copy stood in for the installed"


def test_an_installed_simulation_is_built_where_the_user_is(
    installed: Path, tmp_path: Path, needs: Callable[[str], None]
) -> None:
    needs("icarus")
    before = files(installed)
    script = """
from sim.kit.launch import run_bench
print(run_bench("fp16_key", simulator="icarus").folder)
"""
    said = in_a_folder(installed, tmp_path, script)
    assert Path(said.strip()) == tmp_path / "build" / "sim" / "fp16_key-icarus"
    assert files(installed) == before
