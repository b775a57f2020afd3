"""The Python package: what ``import kllm`` offers, its page, and the notebooks."""

import doctest
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kllm
from golden.base.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def test_importing_takes_no_time() -> None:
    code = (
        "import sys, kllm; print([n for n in ('numpy', 'golden', 'gateware') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_what_is_offered_is_there_and_documented() -> None:
    assert set(dir(kllm)) == set(kllm.__all__)
    for name in kllm.__all__:
        assert getattr(kllm, name).__doc__
        assert name in (ROOT / "docs" / "python.md").read_text()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = kllm.nothing  # pyright: ignore[reportAttributeAccessIssue]


@pytest.fixture
def layer(rng: np.random.Generator) -> kllm.QuantizedLinear:
    weights, tokens = rng.normal(size=(6, 10)), rng.normal(size=(200, 10))
    return kllm.quantize(weights, tokens, np.arange(6.0), recipe="paper", outliers=0.1)


def test_a_layer_computes_and_is_kept(
    layer: kllm.QuantizedLinear, rng: np.random.Generator, tmp_path: Path
) -> None:
    x = rng.normal(size=(5, 10))
    assert (layer.inputs, layer.outputs) == (10, 6)
    wanted = x @ layer.weights().T + np.arange(6)
    y = layer.forward(x)
    assert np.linalg.norm(y - wanted) < 0.15 * np.linalg.norm(wanted)
    np.testing.assert_array_equal(layer.forward(x[0]), y[:1])
    layer.save(tmp_path / "kept.safetensors", "fc")
    np.testing.assert_array_equal(kllm.load(tmp_path / "kept.safetensors", "fc").forward(x), y)
    with pytest.raises(InputError, match=r"shape \(T, 10\), got \(5, 9\)"):
        layer.forward(x[:, :9])
    with pytest.raises(InputError, match="must have the same K"):
        kllm.quantize(x, x[:, :9])


def test_an_engine_has_what_is_asked_for(layer: kllm.QuantizedLinear) -> None:
    engine = kllm.engine("tiny", symmetric=True, output_lanes=8)
    assert engine.parameters["output_lanes"] == 8
    assert engine.parameters["magnitude_bits"] == 8  # as usual with symmetric codebooks
    assert engine.name == "tiny_symmetric_true_output_lanes_8"
    assert engine.cycles(64, 64) < kllm.engine("tiny", symmetric=True).cycles(64, 64)
    with pytest.raises(InputError, match="no parameter 'lanes'"):
        kllm.engine("tiny", lanes=8)
    with pytest.raises(InputError, match="does not run a layer"):
        kllm.engine("fp16_add", pipelined=True).cycles(16, 16)
    with pytest.raises(InputError, match="quantised for symmetric"):
        kllm.simulate(kllm.engine("tiny"), layer, np.zeros((1, 10)))


def test_the_page_prints_what_it_says() -> None:
    found = doctest.testfile(
        str(ROOT / "docs" / "python.md"),
        module_relative=False,
        optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL,
    )
    assert found.attempted > 10
    assert not found.failed


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(code) >= 4
    names: dict[str, object] = {}
    for number, text in enumerate(code):
        exec(compile(text, f"{path.name}, cell {number}", "exec"), names)
