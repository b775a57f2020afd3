"""Damaged files of all kinds: a sentence or what the file says, no traceback, hang, silent zero.

``FUZZ_SECONDS=1800`` makes it run as long; a failure names the seed, ``FUZZ_SEED`` repeats it.
"""

import json
import math
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gateware.engines.kinds import engine
from gateware.points import point
from golden.base.errors import InputError
from golden.base.tensor_file import INDEX, TensorFile
from golden.exact.fp16 import is_finite, to_bits
from golden.exact.linear import QuantizedLinear, forward
from golden.models.layer_files import file_layer, kept_layer, named_layers, read_activations
from golden.quantise.layer_container import container, is_container, read_layer
from sim.outliers.orizuru_run import read_vectors
from synth.area.area import units
from synth.libraries.liberty import read
from synth.power.energy import Energies
from tests.damage import SECONDS, damage_all
from tests.damaged_files import NAMES, X, files_of, two_bits

LEAST = 1e-6  # of an FP16 output, with some steps to spare


def check_liberty(folder: Path) -> None:
    path = folder / "x.lib"
    library = read([path])
    unit = units(library)
    assert 0 < unit.nand2.area < math.inf, "area"
    assert 0 < unit.fo4_ps < math.inf, "FO4"
    # What tools are given is read as the same again.
    path.write_text(*library.texts.values(), encoding="utf-8")
    assert list(read([path]).cells) == list(library.cells), "cells"
    Energies(library)


def decoded(content: bytes, name: str) -> np.ndarray:
    """Return a tensor as float32, read by hand."""
    end = 8 + int.from_bytes(content[:8], "little")
    entry = json.loads(content[8:end])[name]
    start, stop = entry["data_offsets"]
    data = content[end:][start:stop]
    if entry["dtype"] == "BF16":
        found = np.frombuffer(
            b"".join(b"\0\0" + data[i : i + 2] for i in range(0, len(data), 2)), "<f4"
        )
    else:
        found = np.frombuffer(data, {"F16": "<f2", "F32": "<f4", "F64": "<f8"}[entry["dtype"]])
    with np.errstate(over="ignore", invalid="ignore"):
        return found.astype(np.float32).reshape(entry["shape"])


def check_model(folder: Path) -> None:
    content = (folder / "w").read_bytes()
    file = TensorFile(folder / "w")
    for name in file.names:
        try:
            found = file.tensor(name)
        except InputError:
            continue
        np.testing.assert_array_equal(found, decoded(content, name))
    source = file_layer(folder / "w", "fc.weight", folder / "x.npy", 2)
    stored = decoded(content, "fc.weight")
    expected = stored.T if stored.shape[1] == 9 else stored
    np.testing.assert_array_equal(source.weight, expected)
    assert np.isfinite(source.weight).all()
    assert np.isfinite(source.bias).all()


def check_parts(folder: Path) -> None:
    file = TensorFile(folder)
    places = json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"]
    assert set(file.names) == set(places)
    for name, part in places.items():
        try:
            found = file.tensor(name)
        except InputError:
            continue
        np.testing.assert_array_equal(found, decoded((folder / part).read_bytes(), name))


def check_array(folder: Path) -> None:
    found = read_activations(folder / "x.npy")
    content = (folder / "x.npy").read_bytes()
    data = found.tobytes("A")
    assert content[:8] == b"\x93NUMPY\x01\0"
    assert content[10 + int.from_bytes(content[8:10], "little") :] == data, "not all of the file"
    vectors = read_vectors(folder / "x.npy")
    assert vectors.shape == found.shape
    np.testing.assert_array_equal(is_finite(vectors), np.isfinite(found))
    assert file_layer(folder / "w", "fc.weight", folder / "x.npy", 2).x.shape == (2, 9)


def check_runs(layer: QuantizedLinear, bits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """See that a layer runs and that engines of its numbers take it.

    Return its outputs (T, N), and which tokens (T,) raise no flag.
    """
    result = forward(layer, bits)
    whole = ~(result.overflow | result.nonfinite)
    y = result.y.view(np.float16).astype(np.float64)
    assert np.isfinite(y[whole]).all()
    contract = engine(point("tiny_symmetric" if layer.spec.symmetric else "tiny").spec)
    contract.load_words(layer)
    contract.memory_images(layer)
    return y, whole


def check_archive(folder: Path) -> None:
    found = named_layers(folder / "w", folder / "x.npz")
    with zipfile.ZipFile(folder / "x.npz") as file:
        members = {name: file.read(name) for name in file.namelist()}
    assert len(found) == len(members)
    for (stem, *_, x), (name, content) in zip(found, members.items(), strict=True):
        assert stem == name.removesuffix(".npy").removesuffix(".weight")
        assert content[10 + int.from_bytes(content[8:10], "little") :] == x.tobytes("A")


def check_layer(folder: Path) -> None:
    source = file_layer(folder / "w", "fc", folder / "x.npy", 3)
    layer = two_bits(source.weight, source.bias, source.calibration)
    y, whole = check_runs(layer, source.x)
    x = np.load(folder / "x.npy")[-3:].astype(np.float64)
    expected = x @ source.weight.astype(np.float64)
    error, size = (np.linalg.norm(a[whole]) for a in (y - expected, expected))
    assert error <= 0.9 * size + LEAST, f"{error} of {size}"


def check_container(folder: Path) -> None:
    path = folder / "w"
    assert is_container(path) in (True, False)
    for name in NAMES:
        try:
            layer = read_layer(path, name)
        except InputError:
            continue
        kept_layer(path, name, folder / "x.npy", 2)
        folder.joinpath("again").write_bytes(container({name: layer}, {}))
        again = read_layer(folder / "again", name)
        np.testing.assert_array_equal(again.w_index, layer.w_index)
        np.testing.assert_array_equal(again.product_table, layer.product_table)
        check_runs(layer, to_bits(X[:2]))


CHECKS = (
    *(check_liberty, check_model, check_parts, check_array, check_archive, check_layer),
    check_container,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_damaged_files_are_refused_or_read_as_they_are(
    check: Callable[[Path], None], tmp_path: Path
) -> None:
    kind = check.__name__.removeprefix("check_")
    files = files_of(kind)

    def write(chance: random.Random) -> None:
        hit = chance.choice([name for name, (_, damage) in files.items() if damage])
        for name, (content, damage) in files.items():
            changed = damage(content, chance) if damage and name == hit else content
            (tmp_path / name).write_bytes(changed)

    seeds = damage_all(SECONDS / len(CHECKS), write, lambda: check(tmp_path))
    print(f"{kind}: seeds {seeds.start} to {seeds.stop - 1}")
