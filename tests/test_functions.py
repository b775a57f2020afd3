"""Functions of FP16 numbers: every input against float64, and special values by hand."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from golden.exact.fp16 import key, to_bits
from golden.exact.functions import FUNCTIONS

ALL = np.arange(1 << 16).astype(np.uint16)
X = ALL.view(np.float16).astype(np.float64)
EXACT: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exp": np.exp,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "tanh": np.tanh,
    "erf": np.vectorize(math.erf, otypes=[np.float64]),
}
MINUS = 0x8000
ONE, INFINITY, NAN = 0x3C00, 0x7C00, 0x7E00


@pytest.mark.parametrize("name", FUNCTIONS)
def test_all_inputs(name: str) -> None:
    """At most one ulp from the correctly rounded value, and few are off at all; NaN where it is."""
    with np.errstate(all="ignore"):
        exact = EXACT[name](X)
    got = FUNCTIONS[name](ALL)
    number = ~np.isnan(exact)
    np.testing.assert_array_equal(got[~number], NAN)
    distance = np.abs(key(got) - key(to_bits(exact)))[number]
    assert distance.max() == 1
    assert np.count_nonzero(distance) < 0.2 * len(ALL)


@pytest.mark.parametrize(
    ("name", "falls"),
    [("exp", False), ("sigmoid", False), ("tanh", False), ("erf", False), ("rsqrt", True)],
)
def test_functions_are_monotone(name: str, falls: bool) -> None:
    """Also where a segment ends, or a binade."""
    numbers = ALL[(X > 0 if falls else ~np.isnan(X))]
    results = FUNCTIONS[name](numbers[np.argsort(key(numbers), kind="stable")])
    steps = np.diff(key(results)) * (-1 if falls else 1)
    assert (steps >= 0).all()


@pytest.mark.parametrize(
    ("name", "results"),
    [
        # Of -infinity, -1, -0, +0, the smallest number, 1 and infinity.
        ("exp", (0, 0x35E3, ONE, ONE, ONE, 0x4170, INFINITY)),
        ("sigmoid", (0, 0x344E, 0x3800, 0x3800, 0x3800, 0x39D9, ONE)),
        ("reciprocal", (MINUS, 0xBC00, 0xFC00, INFINITY, INFINITY, ONE, 0)),
        ("rsqrt", (NAN, NAN, 0xFC00, INFINITY, 0x6C00, ONE, 0)),
        ("tanh", (0xBC00, 0xBA18, MINUS, 0, 1, 0x3A18, ONE)),
        ("erf", (0xBC00, 0xBABE, MINUS, 0, 1, 0x3ABE, ONE)),
    ],
)
def test_special_values(name: str, results: tuple[int, ...]) -> None:
    inputs = np.array([0xFC00, 0xBC00, MINUS, 0, 1, ONE, INFINITY], np.uint16)
    assert list(map(hex, FUNCTIONS[name](inputs))) == list(map(hex, results))
    assert (FUNCTIONS[name](np.array([0x7C01, 0xFFFF], np.uint16)) == NAN).all()


def test_powers_of_two_are_exact() -> None:
    exponents = np.arange(-15, 16)
    np.testing.assert_array_equal(
        FUNCTIONS["reciprocal"](to_bits(2.0**exponents)), to_bits(2.0**-exponents)
    )
    roots = np.arange(-12, 8)
    np.testing.assert_array_equal(FUNCTIONS["rsqrt"](to_bits(4.0**roots)), to_bits(2.0**-roots))


def test_shape_is_kept() -> None:
    inputs = ALL.reshape(16, 64, 64)
    for function in FUNCTIONS.values():
        assert function(inputs).shape == inputs.shape
        assert function(inputs).dtype == np.uint16
