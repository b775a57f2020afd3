"""Tensors from safetensors files, as float32; what cannot be read is said in one sentence."""

import difflib
import json
from collections.abc import Collection
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from golden.base.errors import InputError


class TensorFile:
    """A safetensors file, opened.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InputError
        If the file is missing, truncated or something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise InputError(f"{path} is not a file; expected a safetensors file")
        try:
            self._file = safe_open(path, framework="numpy")
        except (SafetensorError, OSError) as error:
            raise InputError(
                f"{path} is no whole safetensors file ({error}); get it once more"
            ) from error
        self.names: list[str] = sorted(self._file.keys())

    def tensor(self, name: str) -> npt.NDArray[np.float32]:
        """Return a tensor of floating-point numbers as float32.

        Raises
        ------
        InputError
            If there is none of that name, or if it holds something else than real numbers.
        """
        if name not in self.names:
            raise InputError(f"{self.path} has no tensor {name!r}{near(name, self.names)}")
        dtype = self._file.get_slice(name).get_dtype()
        if dtype == "BF16":
            return self._bfloat16(name)
        if dtype not in ("F16", "F32", "F64"):
            raise InputError(
                f"tensor {name!r} of {self.path} has dtype {dtype}; allowed are F16, BF16, F32, F64"
            )
        with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite: refused later
            return self._file.get_tensor(name).astype(np.float32)

    def _bfloat16(self, name: str) -> npt.NDArray[np.float32]:
        """Return a bfloat16 tensor. NumPy has no such type, so the library cannot: read the bytes.

        A safetensors file is the header's length (8 bytes), the header (JSON), then the data.
        """
        with self.path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            entry = json.loads(file.read(length))[name]
            start, stop = entry["data_offsets"]
            file.seek(8 + length + start)
            upper = np.frombuffer(file.read(stop - start), "<u2").astype(np.uint32)
        return (upper << 16).view(np.float32).reshape(entry["shape"])


def near(name: str, names: Collection[str]) -> str:
    """Return the end of a sentence that names what the user may have meant."""
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return (
        f"; near are {', '.join(close)}" if close else f"; there are {', '.join(list(names)[:6])}"
    )
