"""``kllm export``: the files load the engine, and the bench needs Icarus alone."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner

import kllm.app
from hw.linear.shell.layer_constants import Select

INPUTS, OUTPUTS, TOKENS = 13, 7, 2


def bench(folder: Path) -> str:
    """Run the bench as its JSON file says, without this Python; return what it said."""
    command = json.loads((folder / "export.json").read_text())["run"]
    if (folder / "bench").exists():  # words are read when it runs
        command = command.partition(" && ")[2]
    path = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(
        command, shell=True, cwd=folder, env=path, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize(
    "design",
    [
        "lookup_engine_symmetric:outputs_max=8",
        pytest.param("tiny:output_lanes=8", marks=pytest.mark.slow),
        pytest.param("tiny_a8_symmetric:token_factor=true", marks=pytest.mark.slow),
        pytest.param("counter_small", marks=pytest.mark.slow),
        pytest.param("counter_fp16_small", marks=pytest.mark.slow),
    ],
)
def test_the_bench_passes_and_notices(
    tmp_path: Path, needs: Callable[[str], None], rng: np.random.Generator, design: str
) -> None:
    needs("icarus")
    weight = rng.normal(size=(OUTPUTS, INPUTS)).astype(np.float32)
    save_file({"fc.weight": weight}, tmp_path / "w.safetensors")
    np.save(tmp_path / "x.npy", rng.normal(size=(40, INPUTS)).astype(np.float32))
    folder = tmp_path / "out"
    done = CliRunner().invoke(
        kllm.app.build_app(),
        [
            *("export", "fc.weight", f"--design={design}", f"--tokens={TOKENS}"),
            *(f"--weights={tmp_path / 'w.safetensors'}", "--outliers=0.1", f"-o{folder}"),
            f"--activations={tmp_path / 'x.npy'}",
        ],
    )
    assert done.exit_code == 0, done.exception
    assert bench(folder).startswith("PASS: ")
    said = json.loads((folder / "export.json").read_text())
    assert said["select"] == {one.name: one.value for one in Select}
    assert said["layer"] == {"inputs": INPUTS, "outputs": OUTPUTS, "outliers_on_each_side": 2}
    for file, about in said["files"].items():
        lines = (folder / file).read_text().split()
        assert len(lines) == about["words"], file
        assert max(int(line, 16) for line in lines) < 1 << about["bits"], file
    with np.load(folder / "tokens.npz") as file:
        assert file["y"].shape == (TOKENS, OUTPUTS)
    weights = next(file for file in said["files"] if file.endswith("weight_i.hex"))
    for changed in ("load_i.hex", weights):
        kept = shutil.copy(folder / changed, tmp_path / "kept")
        lines = (folder / changed).read_text().split()
        # Other codes, the last channel's bias.
        place = len(lines) - 1 if changed == "load_i.hex" else 0
        lines[place] = f"{int(lines[place], 16) ^ 0x4321 << 8:0{len(lines[place])}x}"[
            -len(lines[place]) :
        ]
        (folder / changed).write_text("\n".join(lines))
        assert "FAIL: " in bench(folder), changed
        shutil.copy(kept, folder / changed)
