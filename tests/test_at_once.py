"""Commands that run at the same time in one checkout find what they find one after another."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

COMMANDS = {
    # Two runs of one design, which share a build folder, on different vectors.
    "a.json": "sim orizuru --input a.npy --k 2 --per-beat 4 --simulator icarus --json {0}/a.json",
    "b.json": "sim orizuru --input b.npy --k 2 --per-beat 4 --simulator icarus --json {0}/b.json",
    "fp16_add.json": "verilog fp16_add -o {0}",
    "area.json": "synth fp16_add --no-delay --json {0}/area.json",
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    for name in ("a.npy", "b.npy"):
        np.save(tmp_path / name, rng.normal(size=(3, 8)))
    return tmp_path


def run(place: Path, name: str, *, at_once: bool) -> dict[str, Any]:
    """Run all commands in a build folder of their own; return what they found, by file."""
    environment = {"KLLM_BUILD": str(place / f"build-{name}"), "KLLM_CACHE": ""}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    running = []
    for command in COMMANDS.values():
        words = [sys.executable, "-m", "kllm", *command.format(name).split()]
        running.append(
            subprocess.Popen(
                words, cwd=place, env=os.environ | environment, stderr=subprocess.PIPE, text=True
            )
        )
        if not at_once:
            running[-1].wait()
    for one in running:
        _, said = one.communicate()
        assert one.returncode == 0, said
    return {file: json.loads((place / name / file).read_text()) for file in COMMANDS}


@pytest.mark.slow
def test_four_commands_at_once_find_what_they_find_alone(place: Path, needs) -> None:
    needs("icarus")
    together, alone = (
        run(place, name, at_once=name == "together") for name in ("together", "alone")
    )
    assert together == alone
    assert together["a.json"] != together["b.json"]
    assert together["a.json"]["mismatches"] == together["b.json"]["mismatches"] == 0
    text, other = ((place / name / "fp16_add.v").read_text() for name in ("together", "alone"))
    assert text == other
