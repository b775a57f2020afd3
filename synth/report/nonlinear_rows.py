"""What the parts of nonlinear operations get, row by row, when their energy is measured.

Elements are normal numbers with a standard deviation of 2, as those of scores and gates are; those
whose powers are taken lie below the largest of their row.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from golden.exact.fp16 import to_bits
from golden.exact.index_softmax import ONE
from golden.exact.index_statistics import INDICES

ROWS = 5  # the first one fills the part
SEED = 20261128
DEVIATION = 2
# Cycles from row to row where counts leave a unit between rows, and where a sum of squares does.
BETWEEN, SQUARES = 18, 48
Cycle = dict[str, Any]
EDGES = np.quantile(np.random.default_rng(0).normal(size=1 << 16), np.arange(1, INDICES) / INDICES)


class Numbers:
    """Rows of FP16 numbers.

    Parameters
    ----------
    lanes, beats : int
        Numbers side by side, and how many such in a row.
    """

    def __init__(self, lanes: int, beats: int) -> None:
        self.lanes, self.beats = lanes, beats
        self.rng = np.random.default_rng(SEED)

    def row(self) -> np.ndarray:
        """Return a row of numbers (beats, lanes)."""
        return self.rng.normal(scale=DEVIATION, size=(self.beats, self.lanes))


def rows(name: str, lanes: int, beats: int) -> list[list[Cycle]] | None:
    """Return the rows of a part, or None if it has none: that which has no clock."""
    numbers = Numbers(lanes, beats)
    make = KINDS.get(name)
    return make and [make(numbers) for _ in range(ROWS)]


def _bits(values: np.ndarray) -> list[Any]:
    return to_bits(values).tolist()


def _idle(count: int, **steady: Any) -> list[Cycle]:
    return [dict(steady) for _ in range(count)]


def _softmax(numbers: Numbers) -> list[Cycle]:
    powers = {"powers": np.linspace(0, ONE, INDICES).astype(int).tolist()}
    steady = powers | {"o__ready": 1, "sums__ready": 1}
    used, last = (1 << numbers.lanes) - 1, numbers.beats - 1
    beats = [
        {
            "i__valid": 1,
            "i__payload": {"scores": _bits(x), "used": used, "last": int(n == last)},
        }
        for n, x in enumerate(numbers.row())
    ]
    return [*(beat | steady for beat in beats), *_idle(BETWEEN, **steady)]


def _indices(values: np.ndarray) -> list[int]:
    return np.searchsorted(EDGES, values / DEVIATION).tolist()


def _mean_square(numbers: Numbers) -> list[Cycle]:
    centroids = np.concatenate([-EDGES[::-1][:8], EDGES[7:]])
    squares = (centroids / np.abs(centroids).max()) ** 2 * ((1 << 16) - 1)
    steady = {
        "constants": squares.astype(int).tolist(),
        "fraction": 16,
        "start": 11,
        "o__ready": 1,
        "scale__valid": 1,
        "scale__payload": {"mantissa": 1234, "exponent": -10},
        "outliers__valid": 1,
        "outliers__payload": {"number": _bits(np.array([9.5]))[0], "last": 1},
    }
    used, last = (1 << numbers.lanes) - 1, numbers.beats - 1
    beats = [
        {
            "i__valid": 1,
            "i__payload": {"indices": _indices(x), "used": used, "last": int(n == last)},
        }
        for n, x in enumerate(numbers.row())
    ]
    return [*(beat | steady for beat in beats), *_idle(SQUARES, **steady)]


def _map(numbers: Numbers) -> list[Cycle]:
    values = _bits(np.sort(numbers.rng.normal(size=INDICES - 1)))
    return [
        {
            "values": [value >> 5 for value in values],
            "o__ready": 1,
            "i__valid": 1,
            "i__payload": {"numbers": _bits(x), "indices": _indices(x)},
        }
        for x in numbers.row()
    ]


def _sum(numbers: Numbers) -> list[Cycle]:
    last = numbers.beats - 1
    return [
        {
            "o__ready": 1,
            "i__valid": 1,
            "i__payload": {"lanes": _bits(x), "last": int(n == last)},
        }
        for n, x in enumerate(numbers.row())
    ]


def _powers(numbers: Numbers) -> list[Cycle]:
    beats, rest = _sum(numbers), numbers.row()
    for beat, x in zip(beats, rest, strict=True):
        beat["i__payload"]["lanes"] = _bits(np.exp(x - 3 * DEVIATION))
    return beats


def _largest(numbers: Numbers) -> list[Cycle]:
    used = (1 << numbers.lanes) - 1
    beats = []
    for n, x in enumerate(numbers.row()):
        word = sum(bits << 16 * k for k, bits in enumerate(_bits(x)))
        beats.append({"start": int(n == 0), "used": used, "numbers": word})
    return beats


def _one(numbers: Numbers) -> list[Cycle]:
    return [{"i": _bits(x)[0]} for x in numbers.row()]


def _below(numbers: Numbers) -> list[Cycle]:
    return [{"i": _bits(x - 3 * DEVIATION)[0]} for x in numbers.row()]


def _two(numbers: Numbers) -> list[Cycle]:
    a, b = numbers.row(), 1 / (1 + np.exp(-numbers.row()))
    return [{"a": _bits(x)[0], "b": _bits(y)[0]} for x, y in zip(a, b, strict=True)]


def _less(numbers: Numbers) -> list[Cycle]:
    most = _bits(np.array([-3.0 * DEVIATION]))[0]
    return [{"a": _bits(x)[0], "b": most} for x in numbers.row()]


KINDS: dict[str, Callable[[Numbers], list[Cycle]]] = {
    "index_softmax": _softmax,
    "index_mean_square": _mean_square,
    "index_map": _map,
    "largest_16": _largest,
    "square_sum_l16": _sum,
    "power_sum_l16": _powers,
    "fp16_add_pipelined": _less,
    "fp16_multiply_pipelined": _two,
    "function_unit_exp": _below,
    "function_unit_sigmoid": _one,
    "function_unit_gelu": _one,
}
