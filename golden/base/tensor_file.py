"""Tensors from safetensors files, as float32; what cannot be read is said in one sentence.

A model may stand in one file, or in parts: several files and an index, which is JSON and says under
``weight_map`` in which part each tensor is. A folder stands for the model in it.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from golden.base.errors import InputError
from golden.base.names import require_name, some

INDEX = "model.safetensors.index.json"
WHOLE = "model.safetensors"
# How files of other kinds begin, and what to do with them.
OTHER_KINDS = (
    (b"GGUF", "a GGUF file, whose weights are quantised already: name the model's safetensors"),
    *(
        (start, "a PyTorch file: write it anew with safetensors.torch.save_file(torch.load(...))")
        for start in (b"PK\x03\x04", b"\x80\x02")
    ),
    (b"\x93NUMPY", "a NumPy array: --activations takes such"),
    (b"\x89HDF", "an HDF5 file: write its tensors with safetensors.numpy.save_file"),
)


class TensorFile:
    """A safetensors file, or a model in several, opened.

    Parameters
    ----------
    path : Path
        The file, the index of a model in parts, or the folder of either.

    Raises
    ------
    InputError
        If a file is missing, truncated or something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = _in_folder(path) if path.is_dir() else path
        self._files: dict[str, tuple[Path, Any]] = {}
        if self.path.suffix == ".json":
            self._files = _in_parts(self.path)
        else:
            file = _open(self.path)
            self._files = {name: (self.path, file) for name in file.keys()}
        self.names: list[str] = sorted(self._files)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of one of its tensors, which is not read."""
        return tuple(self._files[name][1].get_slice(name).get_shape())

    def tensor(self, name: str) -> npt.NDArray[np.float32]:
        """Return a tensor of floating-point numbers as float32.

        Raises
        ------
        InputError
            If there is none of that name, or if it holds something else than real numbers.
        """
        require_name("tensor", name, self.names, owner=self.path)
        path, file = self._files[name]
        dtype = file.get_slice(name).get_dtype()
        if dtype == "BF16":
            return _bfloat16(path, name)
        if dtype not in ("F16", "F32", "F64"):
            raise InputError(
                f"tensor {name!r} of {path} has dtype {dtype}; allowed are F16, BF16, F32, F64"
            )
        # A float64 beyond float32 becomes infinite, and a NaN stays one: refused later.
        with np.errstate(over="ignore", invalid="ignore"):
            return file.get_tensor(name).astype(np.float32)


def _in_folder(folder: Path) -> Path:
    """Return the model in a folder: its index, the file of that name, or the only one there."""
    for name in (INDEX, WHOLE):
        if (folder / name).is_file():
            return folder / name
    found = sorted(folder.glob("*.safetensors"))
    if len(found) != 1:
        there = some([path.name for path in found]) if found else "none"
        raise InputError(
            f"{folder} must hold {INDEX} or one safetensors file, of which there are {there}:"
            " name a file"
        )
    return found[0]


def _in_parts(index: Path) -> dict[str, tuple[Path, Any]]:
    """Return for each tensor of an index the part that it is in, and that part opened.

    Another part may hold a tensor of the same name, left from an older model: the index decides.
    """
    try:
        places = dict(json.loads(index.read_text(encoding="utf-8"))["weight_map"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{index} is no index of a model in parts, JSON with a weight_map: {error!r}"
        ) from error
    for part in places.values():
        if not isinstance(part, str) or Path(part).name != part:
            raise InputError(f"{index} must name files in its own folder, names {part!r}")
        if not (index.parent / part).is_file():
            raise InputError(f"{index} names {part}, which is not there: get that part, too")
    parts = {part: _open(index.parent / part) for part in sorted(set(places.values()))}
    held = {part: set(file.keys()) for part, file in parts.items()}
    for name, part in places.items():
        if name not in held[part]:
            raise InputError(
                f"{index} has {name!r} in {part}, which does not: get that part once more"
            )
    return {name: (index.parent / part, parts[part]) for name, part in places.items()}


def _open(path: Path) -> Any:
    if not path.is_file():
        raise InputError(f"{path} is not a file; expected a safetensors file")
    try:
        return safe_open(path, framework="numpy")
    except (SafetensorError, OSError) as error:
        with path.open("rb") as file:
            start = file.read(8)
        for magic, kind in OTHER_KINDS:
            if start.startswith(magic):
                raise InputError(f"{path} is {kind}") from error
        raise InputError(
            f"{path} is no whole safetensors file ({error}); name one, or get it once more"
        ) from error


def _bfloat16(path: Path, name: str) -> npt.NDArray[np.float32]:
    """Return a bfloat16 tensor. NumPy has no such type, so the library cannot: read the bytes.

    A safetensors file is the header's length (8 bytes), the header (JSON), then the data.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(length))[name]
        start, stop = entry["data_offsets"]
        file.seek(8 + length + start)
        upper = np.frombuffer(file.read(stop - start), "<u2").astype(np.uint32)
    return (upper << 16).view(np.float32).reshape(entry["shape"])
