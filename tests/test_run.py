"""The main job: ``kllm run`` on small layers of one's own, and everything that it refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner

import kllm.app
from golden.base.errors import InputError, ToolError

SEED = 7
INPUTS, OUTPUTS, TOKENS, CALIBRATION = 45, 30, 3, 120


@pytest.fixture
def own(tmp_path: Path) -> Callable[..., list[str]]:
    """Return a function that writes a layer's files and says how to run them."""
    rng = np.random.default_rng(SEED)
    weight = (rng.standard_t(5, (OUTPUTS, INPUTS)) * 0.05).astype(np.float32)
    bias = rng.normal(size=OUTPUTS).astype(np.float32)
    activations = rng.standard_t(4, (CALIBRATION + TOKENS, INPUTS)).astype(np.float32)

    def write(**changed: np.ndarray) -> list[str]:
        tensors = {"fc.weight": weight, "fc.bias": bias}
        x = changed.pop("activations", activations)
        tensors |= {f"fc.{name}": value for name, value in changed.items()}
        save_file(tensors, tmp_path / "layer.safetensors")
        np.save(tmp_path / "x.npy", x)
        return [
            f"--weights={tmp_path / 'layer.safetensors'}",
            "--tensor=fc.weight",
            f"--activations={tmp_path / 'x.npy'}",
            f"--tokens={TOKENS}",
            "--design=tiny",
            "--simulator=icarus",
        ]

    return write


def invoke(*arguments: str):
    return CliRunner().invoke(kllm.app.build_app(), ["run", *arguments], env={"COLUMNS": "160"})


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("bits_a", [4, pytest.param(3, marks=[pytest.mark.slow])])
def test_run_of_one_s_own_layer(
    own: Callable[..., list[str]], tmp_path: Path, symmetric: bool, bits_a: int
) -> None:
    result = invoke(
        *own(),
        f"--bits-a={bits_a}",
        # Plain codebooks on an engine of own sizes.
        *(["--symmetric"] if symmetric else ["--set=output_lanes=2", "--set=inputs_max=48"]),
        "--outliers=0.03",
        "--no-area",
        f"--json={tmp_path / 'out' / 'run.json'}",
        f"--dump={tmp_path / 'out' / 'run.npz'}",
    )
    assert result.exit_code == 0, result.exception
    said = json.loads((tmp_path / "out" / "run.json").read_text())
    assert said["mismatches"] == 0
    assert said["values"] == TOKENS * OUTPUTS
    assert said["k_top"] == 2  # ceil(0.03 * 45)
    # By hand: 12 beats of 4 inputs, 4 outliers in one group of 2 digits, tiles of 4 or 2 channels.
    assert said["cycles"]["beats"] == (12 + 2) * (8 if symmetric else 15)
    assert len(set(said["cycles"]["fill"])) == 1
    assert said["error"]["arithmetic"] < said["error"]["quantisation"] / 5
    assert said["error"]["quantisation"] < said["error"]["int_per_token"]

    with np.load(tmp_path / "out" / "run.npz") as dump:
        check_dump(dump, bits_a)
        assert said["cycles"]["per_token"] == dump["cycles"].tolist()


@pytest.mark.slow
def test_run_on_an_fp16_counter_engine(own: Callable[..., list[str]], tmp_path: Path) -> None:
    options = ["--design=counter_fp16_small", "--no-area", f"--json={tmp_path / 'run.json'}"]
    result = invoke(*own(), *options, f"--dump={tmp_path / 'run.npz'}")
    assert result.exit_code == 0, result.exception
    said = json.loads((tmp_path / "run.json").read_text())
    assert (said["mismatches"], said["values"]) == (0, TOKENS * OUTPUTS)
    assert said["cycles"]["beats"] == 8 * 2  # 4 channels and 32 inputs a beat
    assert 0 < said["error"]["arithmetic"] < said["error"]["quantisation"] / 5
    with np.load(tmp_path / "run.npz") as dump:
        check_dump(dump, 4)


def check_dump(dump: np.lib.npyio.NpzFile, bits_a: int) -> None:
    """Compute the layer anew from what the dump says, in plain float64."""
    x = dump["x"].astype(np.float64)
    assert dump["x"].dtype == dump["y"].dtype == dump["y_golden"].dtype == np.float16
    assert dump["w_index"].dtype == dump["a_index"].dtype == np.uint8
    np.testing.assert_array_equal(dump["y"].view(np.uint16), dump["y_golden"].view(np.uint16))
    scale = dump["a_scale"][:, None]
    np.testing.assert_allclose(scale[:, 0], np.abs(x).mean(axis=1), rtol=2**-9)
    assert len(dump["a_codebook"]) == 1 << bits_a

    # The nearest centroid, but where rounding leaves two equally near.
    distance = np.abs(x[:, :, None] / scale[:, :, None] - dump["a_codebook"])
    chosen = np.take_along_axis(distance, dump["a_index"][:, :, None].astype(int), 2)[:, :, 0]
    np.testing.assert_allclose(chosen, distance.min(axis=2), atol=1e-9)

    k_top = dump["outlier_index"].shape[1] // 2
    ascending = np.argsort(x, axis=1, kind="stable")
    descending = np.argsort(-x, axis=1, kind="stable")
    np.testing.assert_array_equal(dump["outlier_index"][:, :k_top], descending[:, :k_top])
    np.testing.assert_array_equal(dump["outlier_index"][:, k_top:], ascending[:, :k_top])

    a_hat = dump["a_codebook"][dump["a_index"]] * scale
    np.put_along_axis(
        a_hat,
        dump["outlier_index"],
        np.take_along_axis(x, dump["outlier_index"], axis=1),
        axis=1,
    )
    w_hat = dump["w_codebook"][dump["w_index"]] * dump["w_scale"]
    y = a_hat @ w_hat + dump["bias"].astype(np.float64)
    error = dump["y"].astype(np.float64) - y
    assert np.sqrt((error**2).mean()) < 0.03 * np.sqrt((y**2).mean())


def test_table_has_what_json_has(own: Callable[..., list[str]]) -> None:
    result = invoke(*own(), "--no-area")
    assert result.exit_code == 0, result.exception
    for line in ("mismatching values", "0 of 90", "INT W4A4, groups of 128", "lanes in use"):
        assert line in result.stdout


def bad(array: np.ndarray, value: float) -> np.ndarray:
    array = array.copy()
    array.flat[5] = value
    return array


WEIGHT = np.ones((OUTPUTS, INPUTS), np.float32)
TOKEN_ROWS = np.ones((20, INPUTS), np.float32)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"weight": bad(WEIGHT, np.nan)}, "fc.weight"),
        ({"weight": bad(WEIGHT, np.inf)}, "fc.weight"),
        ({"bias": np.full(OUTPUTS, np.nan, np.float32)}, "fc.bias"),
        ({"bias": np.ones(OUTPUTS + 1, np.float32)}, "fc.bias"),
        ({"weight": np.ones((OUTPUTS, INPUTS + 1), np.float32)}, "shape"),
        ({"weight": np.ones((OUTPUTS, 0), np.float32)}, "shape"),
        ({"weight": np.ones((65, INPUTS), np.float32), "bias": np.ones(65, np.float32)}, "64"),
        ({"activations": bad(TOKEN_ROWS, np.nan)}, "x.npy"),
        ({"activations": bad(TOKEN_ROWS, -np.inf)}, "x.npy"),
        ({"activations": np.ones((20, 0), np.float32)}, "shape"),
        ({"activations": np.ones((20, 2, INPUTS), np.float32)}, "shape"),
        ({"activations": TOKEN_ROWS[:TOKENS]}, "3 tokens"),
        ({"activations": TOKEN_ROWS.astype(np.int32)}, "dtype"),
    ],
)
def test_bad_arrays_are_refused(
    own: Callable[..., list[str]], tmp_path: Path, changed: dict[str, np.ndarray], said: str
) -> None:
    refuse(own(**changed), said, tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--bits-w=5"], "--bits-w"),
        (["--bits-a=1"], "--bits-a"),
        (["--outliers=0.6"], "outliers"),
        (["--outliers=0.4"], "at most 4"),
        (["--tokens=0"], "tokens"),
        (["--seed=-1"], "seed"),
        (["--design=tinny"], "tiny"),
        (["--design=counter_fp16_small", "--symmetric"], "no counter_fp16_small_symmetric"),
        (["--design=fp16_fma"], "counter_fp16_small"),
        (["--simulator=modelsim"], "verilator"),
        (["--tensor=fc.wait"], "fc.weight"),
        (["--layer=encoder.layer.0.output.dense"], "--layer"),
        (["--weights=nowhere.safetensors"], "nowhere.safetensors"),
        (["--activations=nowhere.npy"], "nowhere.npy"),
    ],
)
def test_bad_options_are_refused(
    own: Callable[..., list[str]], tmp_path: Path, options: list[str], said: str
) -> None:
    refuse([*own(), *options], said, tmp_path)


def test_truncated_safetensors_are_refused(own: Callable[..., list[str]], tmp_path: Path) -> None:
    arguments = own()
    whole = (tmp_path / "layer.safetensors").read_bytes()
    for length in (0, 7, 60, len(whole) - 1):
        (tmp_path / "layer.safetensors").write_bytes(whole[:length])
        refuse(arguments, "layer.safetensors", tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--layer=encoder.layer.0.attention.self.qwery"], "encoder.layer.0.attention.self.query"),
        (["--text=nowhere.txt"], "nowhere.txt"),
        (["--text=kllm/app.py", "--tensor=x"], "--weights"),
    ],
)
def test_bad_sources_are_refused(tmp_path: Path, options: list[str], said: str) -> None:
    refuse(options, said, tmp_path)


def test_a_text_without_tokens_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text(" \n\n ")
    refuse([f"--text={tmp_path / 'empty.txt'}"], "empty.txt", tmp_path)


@pytest.mark.parametrize("option", ["--json", "--dump"])
def test_unwritable_outputs_are_refused_before_the_work(
    own: Callable[..., list[str]], tmp_path: Path, option: str
) -> None:
    (tmp_path / "file").touch()
    refuse([*own(), f"{option}={tmp_path / 'file' / 'out'}"], "file", tmp_path)
    refuse([*own(), f"{option}={tmp_path}"], "folder", tmp_path)


def test_a_wrong_engine_is_told(
    own: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the simulated outputs differ in one bit, the status is 1."""
    import sim.run.run

    def broken(*arguments: object, **options: object):
        run = original(*arguments, **options)  # pyright: ignore[reportArgumentType]
        run.y[1, 2] ^= 1
        return run

    original = sim.run.run.run_layer
    monkeypatch.setattr(sim.run.run, "run_layer", broken)
    result = invoke(*own(), "--no-area")
    assert isinstance(result.exception, ToolError)
    assert "1 of 90" in str(result.exception)
    assert "token 1, channel 2: expected " in str(result.exception)
    assert "of the golden model, not of this engine" in result.stdout
    assert "token 1, channel 2: expected " in result.stdout


def test_a_pipe_gets_a_line_for_each_stage(own: Callable[..., list[str]]) -> None:
    result = invoke(*own(), "--no-area")
    stages = ["activations", "codebooks", "golden model", "Verilog and icarus", "simulation"]
    assert [line for line in result.stderr.splitlines() if line in stages] == stages


def test_json_may_go_to_standard_output_in_place_of_the_table(
    own: Callable[..., list[str]],
) -> None:
    result = invoke(*own(), "--no-area", "--json=-")
    assert json.loads(result.stdout)["mismatches"] == 0


def refuse(arguments: list[str], said: str, folder: Path) -> None:
    """See that a run ends with a sentence, before any output is written."""
    outputs = [f"--json={folder / 'o.json'}", f"--dump={folder / 'o.npz'}"]
    result = invoke(*outputs, *arguments)
    assert isinstance(result.exception, InputError), result.output or result.exception
    text = str(result.exception)
    assert said in text
    assert "\n" not in text
    assert not list(folder.glob("o.*"))
