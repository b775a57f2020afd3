"""Layers from files: orientation, bias, bfloat16, and everything that is refused."""

import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from safetensors.numpy import save_file

from golden.base.errors import InputError
from golden.models.layer_files import file_layer, named_layers, read_activations
from golden.models.layer_source import model_layer
from golden.quantise.quantize import quantize_linear

INPUTS, OUTPUTS = 6, 4
WEIGHT = np.arange(INPUTS * OUTPUTS, dtype=np.float32).reshape(OUTPUTS, INPUTS) / 8
X = np.random.default_rng(0).normal(size=(9, INPUTS)).astype(np.float32)


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    def write(x: np.ndarray = X, **tensors: np.ndarray) -> tuple[Path, Path]:
        save_file(tensors or {"fc.weight": WEIGHT}, tmp_path / "w.safetensors")
        np.save(tmp_path / "x.npy", x)
        return tmp_path / "w.safetensors", tmp_path / "x.npy"

    return write


def test_either_orientation_is_found(files: Callable[..., tuple[Path, Path]]) -> None:
    for weight in (WEIGHT, np.ascontiguousarray(WEIGHT.T)):
        w, x = files(fc=weight)
        source = file_layer(w, "fc", x, 2)
        np.testing.assert_array_equal(source.weight, WEIGHT.T)
        assert not source.bias.any()


def test_a_square_weight_is_as_torch_keeps_it(files: Callable[..., tuple[Path, Path]]) -> None:
    square = np.arange(36, dtype=np.float32).reshape(6, 6)
    source = file_layer(*_with_name(files(fc=square)), 2)
    np.testing.assert_array_equal(source.weight, square.T)


def _with_name(paths: tuple[Path, Path]) -> tuple[Path, str, Path]:
    return paths[0], "fc", paths[1]


def test_bias_and_tokens(files: Callable[..., tuple[Path, Path]]) -> None:
    bias = np.array([1, 2, 3, 4], np.float32)
    w, x = files(**{"fc.weight": WEIGHT, "fc.bias": bias})
    source = file_layer(w, "fc.weight", x, 3)
    np.testing.assert_array_equal(source.bias, bias)
    np.testing.assert_array_equal(source.x.view(np.float16), X[-3:].astype(np.float16))
    np.testing.assert_array_equal(source.calibration, X[:-3])


def test_bfloat16_is_read(tmp_path: Path) -> None:
    """NumPy has no such type: the file is written by hand. 0x3FC0 is 1.5, 0xC000 is -2."""
    data = np.array([0x3FC0, 0xC000] * 3, "<u2").tobytes()
    header = {"fc": {"dtype": "BF16", "shape": [1, 6], "data_offsets": [0, len(data)]}}
    text = json.dumps(header).encode()
    path = tmp_path / "b.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    np.save(tmp_path / "x.npy", X)
    source = file_layer(path, "fc", tmp_path / "x.npy", 1)
    assert source.weight.ravel().tolist() == [1.5, -2, 1.5, -2, 1.5, -2]


def test_integers_are_refused(files: Callable[..., tuple[Path, Path]]) -> None:
    with pytest.raises(InputError, match="dtype I32"):
        file_layer(*_with_name(files(fc=WEIGHT.astype(np.int32))), 1)


def test_two_arrays_for_one_weight_are_refused(tmp_path: Path) -> None:
    save_file({"fc.weight": WEIGHT}, tmp_path / "w.safetensors")
    arrays: dict[str, Any] = {"fc": X, "fc.weight": X}
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(InputError, match=r"two arrays for one weight, 'fc' and 'fc\.weight'"):
        named_layers(tmp_path / "w.safetensors", tmp_path / "x.npz")


def test_what_is_not_finite_is_named_by_its_place_in_the_file(tmp_path: Path) -> None:
    """The weight is (N, K) in the file and (K, N) inside; the sentence has the file's."""
    weight = WEIGHT.copy()
    weight[3, 1] = np.nan
    np.save(tmp_path / "x.npy", X)
    np.savez(tmp_path / "x.npz", fc=X)
    for name, given in (("w", weight), ("t", np.ascontiguousarray(weight.T))):
        save_file({"fc.weight": given}, tmp_path / f"{name}.safetensors")
        place = r"\[3, 1\]" if name == "w" else r"\[1, 3\]"
        with pytest.raises(InputError, match=place):
            file_layer(tmp_path / f"{name}.safetensors", "fc.weight", tmp_path / "x.npy", 1)
        with pytest.raises(InputError, match=place):
            named_layers(tmp_path / f"{name}.safetensors", tmp_path / "x.npz")


def test_a_layer_of_the_language_model() -> None:
    source = model_layer("model.layers.0.mlp.down_proj", 300, model="lm")
    assert source.x.shape == (300, 768)
    assert source.weight.shape == (768, 256)
    assert source.calibration.shape == (2048, 768)
    assert not source.bias.any()
    with pytest.raises(InputError, match="lm has no linear layer 'encoder'"):
        model_layer("encoder", 3, model="lm")


def test_a_long_text_without_paragraphs_is_read_at_once(tmp_path: Path) -> None:
    """The model sees 512 tokens of a text: it need not wait for the millions behind them."""
    (tmp_path / "long.txt").write_text("A generator yields values. " * 700_000)
    began = time.process_time()
    assert model_layer("encoder.layer.0.output.dense", 8, tmp_path / "long.txt").x.shape[0] == 8
    assert time.process_time() - began < 60


def test_a_large_activation_is_named(files: Callable[..., tuple[Path, Path]]) -> None:
    x = X.copy()
    x[2, 1] = 7e4
    with pytest.raises(InputError, match=r"\[2, 1\] is 70000"):
        file_layer(*_with_name(files(x=x, fc=WEIGHT)), 1)


def test_activations_that_would_all_vanish_are_refused(
    files: Callable[..., tuple[Path, Path]],
) -> None:
    """The engine would be given zeros, and its answer would be the bias."""
    w, x = files(x=np.vstack([X[:8], X[8:] * np.float32(1e-9)]), fc=WEIGHT)
    with pytest.raises(InputError, match=r"tokens to run of .* the largest is .*e-09"):
        file_layer(w, "fc", x, 1)
    assert file_layer(w, "fc", x, 2).x.any()
    with pytest.raises(InputError, match=r"activations must fit FP16 \(from 6e-08\)"):
        quantize_linear(WEIGHT.T, np.zeros(OUTPUTS), X * np.float32(1e-9))


def test_pickles_and_archives_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "z.npz", a=X)
    (tmp_path / "z.npz").rename(tmp_path / "z.npy")
    whole = tmp_path / "t.npy"
    np.save(whole, X)
    whole.write_bytes(whole.read_bytes()[:-3])
    for name in ("p.npy", "z.npy", "t.npy", "nowhere.npy"):
        with pytest.raises(InputError, match=name):
            read_activations(tmp_path / name)


def header_of(shape: tuple[int, ...], descr: str = "<f4") -> bytes:
    """Return the start of a .npy file."""
    text = str({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


HOSTILE = [
    header_of((1 << 40, 6)),  # more than any memory
    header_of((1 << 62, 1 << 62)),
    header_of((-1, 6)),
    header_of((9, 6)),  # no data
    header_of((9, 6), "|O") + b"x" * 432,
    header_of((9, 6)).replace(b"}", b"{"),
    header_of((9, 6))[:8] + b"\xff\xff",
    header_of((1 << 70, 6)),  # no number for NumPy
    header_of((9, 6)).replace(b"', '", b"'\n  '"),  # no Python
    header_of((8, 6)) + X.tobytes(),  # less than there is
    header_of((9, 6), "<f2") + X.tobytes(),
    2 * (header_of((9, 6)) + X.tobytes()),
    b"no array",
]


@pytest.mark.parametrize("content", HOSTILE)
def test_hostile_arrays_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.npy is no whole"):
        read_activations(tmp_path / "x.npy")
    with ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("fc.npy", content)
    save_file({"fc": WEIGHT}, tmp_path / "w.safetensors")
    with pytest.raises(InputError, match=r"x\.npz is no whole"):
        named_layers(tmp_path / "w.safetensors", tmp_path / "x.npz")


def test_two_arrays_of_one_name_are_refused(tmp_path: Path) -> None:
    """An archive can hold a name twice; readers of ZIP take the last."""
    save_file({"fc": WEIGHT}, tmp_path / "w.safetensors")
    for second in ("fc.npy", "fc"):
        np.savez(tmp_path / "x.npz", fc=X)
        with ZipFile(tmp_path / "x.npz", "a") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            archive.writestr(second, archive.read("fc.npy"))
        with pytest.raises(InputError, match="it has two arrays 'fc'"):
            named_layers(tmp_path / "w.safetensors", tmp_path / "x.npz")


@pytest.mark.parametrize(("place", "value"), [(4, 99), (6, 1), (6, 32), (8, 77)])
def test_archives_of_other_kinds_are_refused(tmp_path: Path, place: int, value: int) -> None:
    """Needing a newer program, encrypted, patched, compressed by an unknown method."""
    np.savez(tmp_path / "x.npz", fc=X)
    content = bytearray((tmp_path / "x.npz").read_bytes())
    for start in (0, content.index(b"PK\x01\x02") + 2):  # the file's own entry, the directory's
        content[start + place] = value
    (tmp_path / "x.npz").write_bytes(content)
    save_file({"fc": WEIGHT}, tmp_path / "w.safetensors")
    with pytest.raises(InputError, match=r"x\.npz is no whole"):
        named_layers(tmp_path / "w.safetensors", tmp_path / "x.npz")


def test_minilm_layers_have_other_texts_to_calibrate() -> None:
    source = model_layer("encoder.layer.1.output.dense", 5, seed=2)
    assert source.x.shape == (5, 1536)
    assert source.weight.shape == (1536, 384)
    rows = {row.tobytes() for row in source.calibration.astype(np.float16)}
    # [CLS] of another text can be the same number by number only in the very first layer.
    assert not any(row.tobytes() in rows for row in source.x.view(np.float16))


def test_a_file_without_enough_tokens_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("Two words.")
    with pytest.raises(InputError, match="5 tokens; asked for 40"):
        model_layer("encoder.layer.1.output.dense", 40, tmp_path / "short.txt")
