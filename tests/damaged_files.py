"""Files of every kind that people hand to the commands, and how each kind is damaged."""

import io
import json
import random
import warnings
import zipfile
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from safetensors.numpy import save

from golden.base.tensor_file import INDEX
from golden.exact.linear import QuantizedLinear
from golden.quantise.layer_container import DTYPES, FACTS, container
from golden.quantise.quantize import quantize_linear
from tests.damage import damaged
from tests.test_liberty import LIBRARY

Damage = Callable[[bytes, random.Random], bytes]
RNG = np.random.default_rng(0)
X = RNG.standard_t(4, (12, 9)).astype(np.float32)
FC = {
    "fc.weight": RNG.normal(size=(5, 9)).astype(np.float32),
    "fc.bias": RNG.normal(size=5).astype(np.float16),
}
OTHERS = {
    "head": RNG.normal(size=(9, 4)),
    "count": np.arange(6).reshape(2, 3),
    "half": RNG.normal(size=(3, 9)).astype(np.float16),
}
NAMES = ("fc", "head")


def two_bits(weight: np.ndarray, bias: np.ndarray, x: np.ndarray) -> QuantizedLinear:
    """Quantise in a tenth of a second."""
    options: Any = dict(weight_bits=2, activation_bits=2, symmetric=True, recipe="weighted")
    return quantize_linear(weight, bias, x, **options)


@cache
def kept() -> bytes:
    head = quantize_linear(OTHERS["head"], np.zeros(4), X, weight_bits=3, recipe="paper")
    return container({"fc": two_bits(FC["fc.weight"].T, FC["fc.bias"], X), "head": head}, {"a": 1})


LIBERTY_WORDS = [
    *('"', "'", "\\", "\\\n", "\n", "\r", "{", "}", "(", ")", ";", ":", ",", "/*", "*/", "//"),
    *("nan", "-1", "1e999", "0", "1e0", "\0", "\u00b5", "true", "dont_use : 1;", "area : -0;"),
    *("[0]", "cell (X) {", "pin (A) {", "values", "ns", "1us", "!", "^", "library (y) {"),
]
JSON_WORDS = ['"', "{", "}", "[", "]", ",", ":", "\\", "null", "fc", "head", "fc.weight", "shape"]
TYPES = ["F16", "BF16", "F32", "F64", "I8", "U8", "I16", "U16", "I64", "BOOL", "F8_E4M3"]
DESCRS = ["<f2", "<f4", "<f8", ">f4", "|O", "|b1", "<i4", "<c8", "|V4", "|S4", "<U1", "True"]
SHAPES = [*DESCRS, "(", ")", "()", ",", "descr", "shape", "False", "fortran_order", "'", "{", "}"]


def words(texts: Sequence[str]) -> list[bytes]:
    return [text.encode() for text in texts]


def in_header(before: int, size: int, known: Sequence[str]) -> Damage:
    """Return damage to a file whose header's length is said in ``size`` bytes from ``before`` on.

    One time in three it is anywhere; else in the header, whose length is then right again, or
    in what comes after it.
    """

    def damage(content: bytes, chance: random.Random) -> bytes:
        start = before + size
        end = start + int.from_bytes(content[before:start], "little")
        head, data = content[start:end], content[end:]
        where = chance.randrange(3)
        if where == 0:
            return damaged(content, chance, words(known))
        if where == 1:
            head = damaged(head, chance, words(known))
        else:
            data = damaged(data, chance, words(known))
        return content[:before] + len(head).to_bytes(size, "little") + head + data

    return damage


def anywhere(known: Sequence[str]) -> Damage:
    return lambda content, chance: damaged(content, chance, words(known))


tensors = in_header(0, 8, [*JSON_WORDS, *TYPES, *DTYPES, *FACTS])
array = in_header(8, 2, SHAPES)


def archive(content: bytes, chance: random.Random) -> bytes:
    """Damage an archive of arrays, or an array in it, whose checksum is then right again."""
    if chance.random() < 0.3:
        return damaged(content, chance, words(["fc", "fc.weight", ".npy", "PK\x03\x04", "PK\x01"]))
    old, new = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    members = [(name, old.read(name)) for name in old.namelist()]
    place = chance.randrange(len(members))
    members[place] = (members[place][0], array(members[place][1], chance))
    if chance.random() < 0.1:
        members.append(
            (chance.choice(["fc.npy", "fc", "README", "head.weight.npy"]), members[0][1])
        )
    with warnings.catch_warnings(), zipfile.ZipFile(new, "w", chance.choice([0, 8])) as file:
        warnings.simplefilter("ignore")  # two of one name
        for name, member in members:
            file.writestr(name, member)
    return new.getvalue()


def saved(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays) if arrays else np.save(file, X)
    return file.getvalue()


def with_bfloat16() -> bytes:
    """Return a file that has a tensor of a type that NumPy lacks."""
    content = save(FC | OTHERS)
    end = 8 + int.from_bytes(content[:8], "little")
    head = json.loads(content[8:end])
    head["half"]["dtype"] = "BF16"
    text = json.dumps(head).encode()
    return len(text).to_bytes(8, "little") + text + content[end:]


def values(content: bytes, chance: random.Random) -> bytes:
    """Change numbers of the float32 array of nine columns at the end of a file, as no bytes do."""
    x = np.frombuffer(content[-TAIL:], "<f4").reshape(-1, 9).copy()
    for _ in range(chance.randint(1, 3)):
        row, column = chance.randrange(len(x)), chance.randrange(9)
        place = chance.choice([(row, column), row, (slice(None), column), slice(None)])
        strange = 10.0 ** chance.randint(-45, 38) * chance.choice((-1, 1))
        power = np.float32(10.0 ** chance.randint(-9, 5))
        with np.errstate(over="ignore"):
            x[place] = chance.choice((0.0, strange, x[place] * power))
    return content[:-TAIL] + x.tobytes()


TAIL = 5 * 9 * 4
PARTS = ("model-1-of-2.safetensors", "model-2-of-2.safetensors")
PLACES = {**dict.fromkeys(FC, PARTS[0]), **dict.fromkeys(OTHERS, PARTS[1])}


@cache
def files_of(kind: str) -> dict[str, tuple[bytes, Damage | None]]:
    """Return the files of a kind: whole, and how each is damaged."""
    index = json.dumps({"metadata": {"total_size": 9}, "weight_map": PLACES}).encode()
    model, x = save(FC | OTHERS), saved()
    return {
        "liberty": {"x.lib": (LIBRARY.encode(), anywhere(LIBERTY_WORDS))},
        "model": {"w": (with_bfloat16(), tensors), "x.npy": (x, None)},
        "parts": {
            PARTS[0]: (save(FC), tensors),
            PARTS[1]: (save(OTHERS | {"fc.bias": FC["fc.bias"] + 1}), tensors),
            INDEX: (index, anywhere([*JSON_WORDS, *PARTS, "../", "weight_map"])),
        },
        "array": {"w": (model, None), "x.npy": (x, array)},
        "archive": {
            "w": (model, None),
            "x.npz": (saved(fc=X, head=X.astype(np.float16)), archive),
        },
        "layer": {"w": (save({"fc": FC["fc.weight"]}), values), "x.npy": (x, values)},
        "container": {"w": (kept(), tensors), "x.npy": (x, None)},
    }[kind]
