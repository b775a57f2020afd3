"""Files of quantised layers: what goes in comes out, and nothing hostile comes in."""

import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save
from typer.testing import CliRunner

import kllm.app
from golden.base.errors import InputError
from golden.exact.fp16 import to_bits
from golden.exact.linear import forward, reference
from golden.quantise.layer_container import container, is_container, pack, read_layer, unpack
from golden.quantise.quantize import quantize_linear

RNG = np.random.default_rng(0)
X = RNG.standard_t(4, (60, 15))
LAYERS = {
    "fc": quantize_linear(RNG.normal(size=(15, 7)), RNG.normal(size=7), X, symmetric=True),
    "head.out": quantize_linear(
        RNG.normal(size=(15, 4)), np.zeros(4), X, weight_bits=3, activation_bits=2
    ),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "x.kllm.safetensors"
    path.write_bytes(container(LAYERS, {"recipe": "refined"}))
    return path


def test_two_indices_share_a_byte() -> None:
    assert pack(np.array([[1, 2, 3], [15, 0, 9]], np.uint8)).tolist() == [0x21, 0xF3, 0x90]
    assert pack(np.array([[7]], np.uint8)).tolist() == [7]
    assert unpack(np.array([0x21, 0x03], np.uint8), (3, 1)).tolist() == [[1], [2], [3]]


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_comes_back_bit_for_bit(path: Path, name: str) -> None:
    assert is_container(path)
    kept, layer = LAYERS[name], read_layer(path, name)
    bits = to_bits(X)
    result = forward(layer, bits)
    np.testing.assert_array_equal(result.y, forward(kept, bits).y)
    np.testing.assert_array_equal(reference(layer, bits, result), reference(kept, bits, result))
    assert layer.spec == kept.spec


def test_the_container_is_plain_safetensors(path: Path) -> None:
    tensors = load(path.read_bytes())
    assert tensors["fc.w_index"].shape == (53,)  # 105 indices
    assert tensors["fc.bias"].dtype == np.float16
    assert not is_container(path.parent)


def changed(path: Path, tensor: str = "", value: Any = None, **facts: Any) -> None:
    """Write the file anew with one tensor or some facts of ``fc`` changed."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    layers = json.loads(metadata["layers"])
    layers["fc"] |= facts
    tensors = load(content)
    if tensor:
        tensors[f"fc.{tensor}"] = value
    path.write_bytes(save(tensors, metadata | {"layers": json.dumps(layers)}))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"inputs": 16}, r"w_index .* must be U8 \(56,\)"),
        ({"inputs": 1 << 40}, "1 to 65536 inputs"),
        ({"outputs": 0}, "1 to 65536 inputs"),
        ({"inputs": 15.0}, "must be int"),
        ({"symmetric": 1}, "must be bool"),
        ({"symmetric": True, "magnitude_bits": 5}, "within ±31"),
        ({"magnitude_bits": 64}, "from 4 to 12"),
        ({"activation_bits": 6}, "4, 5 or 8"),
        ({"k_top": 16}, "from 0 to K"),
        ({"factor_mantissa": 1}, "16 bits"),
        ({"factor_exponent": 99}, "-64 to 31"),
        ({"more": 1}, "must have the facts"),
    ],
)
def test_facts_that_cannot_be_are_refused(path: Path, facts: dict, said: str) -> None:
    changed(path, **facts)
    with pytest.raises(InputError, match=said):
        read_layer(path, "fc")


@pytest.mark.parametrize(
    ("tensor", "value", "said"),
    [
        ("w_index", np.zeros(53, np.int8), "must be U8"),
        ("w_index", np.zeros(52, np.uint8), r"must be U8 \(53,\)"),
        ("bias", np.full(7, np.inf, np.float16), "bias must be finite"),
        ("bias_offset", np.full(7, np.nan), "bias_offset must be finite"),
        ("scale_mantissa", np.zeros(7, np.uint16), "from 1024 to 2047"),
        ("scale_exponent", np.full(7, -65, np.int8), "from -64 to 63"),
        ("a_centroids", np.zeros(5, np.int16), "4, 8 or 16 entries"),
        ("a_centroids", np.arange(16, dtype=np.int16), "symmetric about zero"),
        ("w_centroids", np.zeros((1 << 9, 1 << 9), np.int16), "too large"),
        ("product_table", np.ones((16, 16), np.int16), "change sign"),
        ("product_table", np.zeros((16, 8), np.int16), "must have shape"),
    ],
)
def test_tensors_that_cannot_be_are_refused(path: Path, tensor: str, value, said: str) -> None:
    changed(path, tensor, value)
    with pytest.raises(InputError, match=said):
        read_layer(path, "fc")


def test_an_index_beyond_the_codebook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "few.safetensors"
    layer = LAYERS["head.out"]
    tensors = load(container({"fc": layer}, {}))
    path.write_bytes(container({"fc": layer}, {}))
    changed(path, "w_index", np.full_like(tensors["fc.w_index"], 0x99))
    with pytest.raises(InputError, match="w_index must be below 8"):
        read_layer(path, "fc")


@pytest.mark.parametrize(
    ("offsets", "shape"),
    [
        ([0, 1 << 40], [53]),  # beyond the file
        ([40, 0], [53]),  # backwards
        ([-1, 52], [53]),
        ([3, 56], [53]),  # into the next tensor
        ([0, 53], [1 << 63, 1 << 63]),  # a product that overflows
        ([0, 53], [-53]),
        ([0, 53], [52]),
    ],
)
def test_offsets_that_cannot_be_are_refused(path: Path, offsets: list, shape: list) -> None:
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header["fc.w_index"] |= {"data_offsets": offsets, "shape": shape}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
    with pytest.raises(InputError, match="no whole safetensors file"):
        read_layer(path, "fc")
    assert not is_container(path)


@pytest.mark.parametrize("length", [0, 7, 1 << 40, (1 << 64) - 1])
def test_a_header_of_another_length_is_refused(path: Path, length: int) -> None:
    path.write_bytes(struct.pack("<Q", length) + path.read_bytes()[8:])
    with pytest.raises(InputError, match="no whole safetensors file"):
        read_layer(path, "fc")


@pytest.mark.parametrize("layers", ["", "[1, 2]", "[" * 100_000, '{"fc": [1]}', '{"fc": {}}'])
def test_metadata_that_cannot_be_is_refused(path: Path, layers: str) -> None:
    content = path.read_bytes()
    metadata = {"format": "kllm", "version": "1", "layers": layers}
    path.write_bytes(save(load(content), metadata))
    with pytest.raises(InputError, match=r"metadata|no layer|must have the facts"):
        read_layer(path, "fc")


def test_unknown_layers_and_other_files_are_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no layer 'fd'; near are fc"):
        read_layer(path, "fd")
    other = tmp_path / "other.safetensors"
    other.write_bytes(save({"w": np.zeros(3, np.float32)}))
    with pytest.raises(InputError, match="no quantised layers"):
        read_layer(other, "w")
    with pytest.raises(InputError, match="is not a file"):
        read_layer(tmp_path / "none", "w")


def run(*arguments: str | Path):
    return CliRunner().invoke(kllm.app.build_app(), ["quantize", *map(str, arguments)])


def test_the_command_writes_what_the_library_makes(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    weight, bias = rng.normal(size=(7, 15)).astype(np.float32), np.ones(7, np.float32)
    weights, tokens, out = (tmp_path / n for n in ("w.safetensors", "x.npz", "o.safetensors"))
    weights.write_bytes(save({"fc.weight": weight, "fc.bias": bias}))
    np.savez(tokens, **{"fc.weight": X})  # pyright: ignore[reportArgumentType]
    result = run("--weights", weights, "--calibration", tokens, "-o", out)
    assert result.exit_code == 0, result.exception
    assert "1 layers" in result.stdout
    expected = forward(quantize_linear(weight.T, bias, X, symmetric=True), to_bits(X)).y
    np.testing.assert_array_equal(forward(read_layer(out, "fc"), to_bits(X)).y, expected)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"fd": X}, "no tensor 'fd.weight'; near are fc.weight"),
        ({"fc": X[:, :9]}, "expected .N, 9. or .9, N."),
        ({"fc": X.astype(int)}, "dtype int64"),
        ({"fc": X[0]}, "shape .15,."),
        ({}, "holds no array"),
        ({"fc": X * np.nan}, "fc: activations must be finite"),
    ],
)
def test_calibration_that_does_not_fit_is_refused(tmp_path: Path, arrays: dict, said: str) -> None:
    weights, tokens, out = (tmp_path / n for n in ("w.safetensors", "x.npz", "o.safetensors"))
    weights.write_bytes(save({"fc.weight": np.ones((7, 15), np.float32)}))
    np.savez(tokens, **arrays)
    result = run("--weights", weights, "--calibration", tokens, "-o", out)
    assert isinstance(result.exception, InputError)
    assert re.search(said, str(result.exception))
    assert not out.exists()


def test_run_takes_the_file_and_the_engine_agrees(path: Path, tmp_path: Path) -> None:
    tokens, out = tmp_path / "x.npy", tmp_path / "run.json"
    np.save(tokens, X)
    own = [f"--weights={path}", "--tensor=fc", f"--activations={tokens}", "--tokens=2"]
    design = ["--design=tiny", "--simulator=icarus", "--no-area"]
    result = CliRunner().invoke(
        kllm.app.build_app(), ["run", *own, *design, "--symmetric", f"--json={out}"]
    )
    assert result.exit_code == 0, result.exception
    facts = json.loads(out.read_text())
    assert (facts["mismatches"], facts["recipe"], facts["tokens"]) == (0, "kept", 2)
    # Measured against the file's own weights, so the activations' error alone is left.
    assert facts["error"]["quantisation"] < 0.15
    result = CliRunner().invoke(kllm.app.build_app(), ["run", *own, *design])
    assert isinstance(result.exception, InputError)
    assert "quantised for symmetric codebooks, activations of 4 bits and products of 8 bits" in str(
        result.exception
    )


@pytest.mark.parametrize(
    "option", ["--bits-w=4", "--bits-a=3", "--outliers=0.05", "--recipe=paper"]
)
def test_run_refuses_options_that_a_kept_layer_cannot_obey(path: Path, option: str) -> None:
    own = [f"--weights={path}", "--tensor=fc", f"--activations={path}"]
    result = CliRunner().invoke(kllm.app.build_app(), ["run", *own, option])
    assert isinstance(result.exception, InputError)
    assert f"quantised before: leave out {option.split('=')[0]}" in str(result.exception)


def test_run_refuses_other_tokens(path: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X[:, :9])
    own = [f"--weights={path}", "--tensor=fc", f"--activations={tmp_path / 'x.npy'}"]
    result = CliRunner().invoke(kllm.app.build_app(), ["run", *own])
    assert isinstance(result.exception, InputError)
    assert "has K = 9; layer 'fc'" in str(result.exception)
