"""Arrays from .npy files and .npz archives; what cannot be read whole is said in one sentence."""

import warnings
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile, is_zipfile

import numpy as np
import numpy.typing as npt

from golden.base.errors import InputError

Array = npt.NDArray[Any]
# NumPy and zipfile raise a dozen kinds of errors on files that are broken, encrypted, newer than
# they are, or that claim more than there is memory for; headers are Python, and fail as such.
BROKEN = Exception


def read_array(path: Path) -> Array:
    """Return the array of a ``.npy`` file.

    Raises
    ------
    InputError
        If the file is missing, broken, pickled, or holds more than one array.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file; expected a .npy file of activations (T, K)")
    if is_zipfile(path):
        raise InputError(
            f"{path} is an archive of arrays; expected one array, as np.save writes it"
        )
    try:
        with path.open("rb") as file:
            return _array(file)
    except BROKEN as error:
        raise InputError(f"{path} is no whole .npy file of numbers: {error}") from error


def read_archive(path: Path) -> dict[str, Array]:
    """Return the arrays of a ``.npz`` file by their names.

    Raises
    ------
    InputError
        If the file is missing or broken, or anything in it is no array, or two have one name.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file; expected a .npz file of inputs by name")
    arrays: dict[str, Array] = {}
    try:
        with ZipFile(path) as archive:
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                if name in arrays:
                    raise ValueError(f"it has two arrays {name!r}")
                with archive.open(member) as file:
                    arrays[name] = _array(file)
    except BROKEN as error:
        raise InputError(f"{path} is no whole .npz file of numbers: {error}") from error
    return arrays


def _array(file: IO[bytes]) -> Array:
    """Return the array of a file, and see that nothing comes after it.

    NumPy reads as much as the header asks for: where that says a smaller type or shape than was
    written, the rest would be left out without a word, and what is read would be wrong.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Python 2 wrote is read more slowly
        array = np.lib.format.read_array(file, allow_pickle=False)  # a pickle could run any code
    if file.read(1):
        raise ValueError(
            f"more follows its {array.dtype} numbers of shape {array.shape};"
            " write one array, with np.save or np.savez"
        )
    return array
