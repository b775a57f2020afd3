"""Weight files: models in parts, folders, and what other kinds of files are told."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from golden.base.errors import InputError
from golden.base.tensor_file import INDEX, TensorFile

ONE, TWO = (np.full((2, 3), value, np.float32) for value in (1, 2))


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """Return the folder of a model in two parts."""
    save_file({"a.weight": ONE}, tmp_path / "model-00001-of-00002.safetensors")
    save_file({"b.weight": TWO}, tmp_path / "model-00002-of-00002.safetensors")
    places = {f"{n}.weight": f"model-0000{i}-of-00002.safetensors" for i, n in ((1, "a"), (2, "b"))}
    (tmp_path / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return tmp_path


@pytest.mark.parametrize("name", ["", INDEX])
def test_a_model_in_parts_is_read(parts: Path, name: str) -> None:
    file = TensorFile(parts / name)
    assert file.names == ["a.weight", "b.weight"]
    np.testing.assert_array_equal(file.tensor("a.weight"), ONE)
    np.testing.assert_array_equal(file.tensor("b.weight"), TWO)
    with pytest.raises(InputError, match=r"near are b\.weight"):
        file.tensor("b.wight")


def test_a_part_that_is_missing_is_named(parts: Path) -> None:
    (parts / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(InputError, match=r"names model-00002-of-00002\.safetensors, which is not"):
        TensorFile(parts)


def test_the_index_says_which_part_counts(parts: Path) -> None:
    """A part may have a tensor that is left from another model."""
    save_file({"a.weight": TWO, "b.weight": TWO}, parts / "model-00002-of-00002.safetensors")
    np.testing.assert_array_equal(TensorFile(parts).tensor("a.weight"), ONE)
    save_file({"c.weight": TWO}, parts / "model-00002-of-00002.safetensors")
    with pytest.raises(InputError, match=r"has 'b\.weight' in model-00002-.*, which does not"):
        TensorFile(parts)


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": "../x.safetensors"}}']
)
def test_a_broken_index_is_refused(parts: Path, text: str) -> None:
    (parts / INDEX).write_text(text)
    with pytest.raises(InputError, match="index"):
        TensorFile(parts)


def test_a_folder_stands_for_its_only_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there are none"):
        TensorFile(tmp_path)
    save_file({"a": ONE}, tmp_path / "x.safetensors")
    assert TensorFile(tmp_path).names == ["a"]
    save_file({"a": ONE}, tmp_path / "y.safetensors")
    with pytest.raises(InputError, match=r"x\.safetensors, y\.safetensors: name a file"):
        TensorFile(tmp_path)
    save_file({"b": TWO[:1]}, tmp_path / "model.safetensors")  # the name that models have
    assert TensorFile(tmp_path).names == ["b"]
    assert TensorFile(tmp_path).shape("b") == (1, 3)


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"PK\x03\x04", "PyTorch file: write it anew"),
        (b"\x80\x02}q", "PyTorch file"),
        (b"GGUF", "GGUF"),
        (b"\x93NUMPY", "NumPy array"),
        (b"hello, I am a text", "no whole safetensors file"),
    ],
)
def test_other_kinds_of_files_are_told_what_they_are(
    tmp_path: Path, start: bytes, said: str
) -> None:
    (tmp_path / "model.pt").write_bytes(start + bytes(99))
    with pytest.raises(InputError, match=said):
        TensorFile(tmp_path / "model.pt")


def test_a_file_of_metadata_alone_says_that_there_is_none(tmp_path: Path) -> None:
    save_file({}, tmp_path / "m.safetensors", {"format": "np"})
    with pytest.raises(InputError, match="there is none at all"):
        TensorFile(tmp_path / "m.safetensors").tensor("a")


def test_a_list_that_is_cut_says_so(tmp_path: Path) -> None:
    save_file({f"tensor{i}": ONE for i in range(9)}, tmp_path / "m.safetensors")
    with pytest.raises(InputError, match=r"there are 9, such as tensor0, .*tensor5$"):
        TensorFile(tmp_path / "m.safetensors").tensor("zzz")


def test_any_nan_is_read_without_a_warning(tmp_path: Path) -> None:
    """Of the signalling kind, too, which the processor reports when it is rounded."""
    strange = np.array([0x7FF0_0000_0000_0001, 0x7FEF_FFFF_FFFF_FFFF], np.uint64).view(np.float64)
    save_file({"a": strange}, tmp_path / "m.safetensors")
    found = TensorFile(tmp_path / "m.safetensors").tensor("a")
    assert np.isnan(found[0])
    assert np.isinf(found[1])
