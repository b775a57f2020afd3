"""GELU in FP16: every input against float64, special values by hand."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from golden.exact.fp16 import key, to_bits
from golden.exact.gelu import GELUS

ALL = np.arange(1 << 16).astype(np.uint16)
X = ALL.view(np.float16).astype(np.float64)
NAN, MINUS, INFINITY = 0x7E00, 0x8000, 0x7C00


def with_erf(x: float) -> float:
    """Return GELU by the standard library, where 1 + erf(x) would lose digits by erfc."""
    near = 1 + math.erf(x / math.sqrt(2)) if x > -1 else math.erfc(-x / math.sqrt(2))
    return x * near / 2


def with_tanh(x: float) -> float:
    """Return the form with tanh, where 1 + tanh(u) would lose digits by exp."""
    u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return x / 2 * (1 + math.tanh(u)) if x > -1 else x * math.exp(2 * u) / (1 + math.exp(2 * u))


EXACT: dict[str, Callable[[float], float]] = {"gelu": with_erf, "gelu_tanh": with_tanh}


@pytest.mark.parametrize("name", GELUS)
def test_all_inputs(name: str) -> None:
    """At most two ulp from the correctly rounded value; at most one but for sixty numbers."""
    finite = np.isfinite(X)
    exact = np.array([EXACT[name](x) for x in X[finite].tolist()])
    got = GELUS[name](ALL)
    distance = np.abs(key(got[finite]) - key(to_bits(exact)))
    assert distance.max() == 2
    assert np.count_nonzero(distance > 1) < 60
    assert np.count_nonzero(distance) < 0.12 * len(ALL)
    np.testing.assert_array_equal(got[np.isnan(X)], NAN)


@pytest.mark.parametrize("name", GELUS)
def test_special_values(name: str) -> None:
    inputs = [0xFC00, 0xC600, MINUS, 0, 1, 0x3C00, 0x4400, 0x7BFF, INFINITY, 0x7C01, 0xFFFF]
    # Of -infinity, -6, zeros, 2**-24 (the half of which is rounded up), 1, 4, the largest number.
    results = [MINUS, MINUS, MINUS, 0, 1, 0x3ABB, 0x4400, 0x7BFF, INFINITY, NAN, NAN]
    assert GELUS[name](np.array(inputs, np.uint16)).tolist() == results


@pytest.mark.parametrize("name", GELUS)
def test_there_is_one_lowest_value(name: str) -> None:
    """GELU falls as far as about -0.75, and rises from there on."""
    numbers = ALL[~np.isnan(X)]
    numbers = numbers[np.argsort(key(numbers), kind="stable")]
    steps = np.diff(key(GELUS[name](numbers)))
    bottom = np.count_nonzero(numbers.view(np.float16) < -0.7519)
    assert (steps[:bottom] <= 0).all()
    assert (steps[bottom:] >= 0).all()


def test_forms_differ() -> None:
    """By 5e-4 at most, as real numbers do."""
    forms = [form(ALL[np.isfinite(X)]).view(np.float16).astype(float) for form in GELUS.values()]
    assert 3e-4 < np.abs(forms[0] - forms[1])[np.abs(forms[0]) < 0.5].max() < 1e-3
    assert (forms[0] != forms[1]).sum() > 1000
    assert GELUS["gelu"](ALL.reshape(16, 64, 64)).shape == (16, 64, 64)
