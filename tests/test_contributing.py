"""The checklist of CONTRIBUTING.md is complete: a copy of the repository does what it says."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILE = re.compile(r"^   `(\S+\.py)`\n   ```python\n(.*?)^   ```", re.M | re.S)
MOST_FILES = 4
NAME = "rectifier"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the project's files and write those of the checklist."""
    folder = tmp_path_factory.mktemp("copy")
    command = ["git", "ls-files", "-z", "golden", "hw", "gateware", "sim", "synth", "kllm"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout: nothing says which files belong to the project")
    for name in filter(None, done.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    files = FILE.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert 0 < len(files) <= MOST_FILES
    for name, text in files:
        path = folder / name
        path.write_text(merged(path, dedent(text)) if path.exists() else dedent(text))
    return folder


def merged(path: Path, more: str) -> str:
    """Return a file of points with the imports and points of another."""
    imports, _, points = more.partition("POINTS = (")
    head, _, tail = path.read_text(encoding="utf-8").partition("POINTS = (\n")
    return f"{head}{imports}POINTS = (\n{points.rpartition(')')[0]}{tail}"


def run(copy: Path, *arguments: str) -> str:
    """Run Python in the copy; return what it printed."""
    environment = os.environ | {"PYTHONPATH": str(copy), "KLLM_CACHE": ""}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout


def test_golden_function(copy: Path) -> None:
    script = f"from golden.exact.{NAME} import rectify; print(rectify([-3, 0, 3]))"
    assert run(copy, "-c", script) == "[0 0 3]\n"


def test_bench(copy: Path, needs: Callable[[str], None]) -> None:
    needs("icarus")
    script = f"from sim.kit.launch import run_bench; print(run_bench('{NAME}').tests)"
    assert "every_value" in run(copy, "-c", script)
    assert (copy / "build" / "sim" / f"{NAME}-icarus").is_dir()


def test_proof(copy: Path) -> None:
    run(copy, "-m", "kllm.app", "prove", NAME, "--json", "proof.json")
    (found,) = json.loads((copy / "proof.json").read_text())
    assert (found["verdict"], found["rules"]) == ("proven", ["o_holds_still"])


def test_area(copy: Path) -> None:
    run(copy, "-m", "kllm.app", "synth", NAME, "--json", "area.json")
    text = (copy / "area.json").read_text()
    assert f'"design": "{NAME}"' in text
    assert '"flip_flops": 5' in text
