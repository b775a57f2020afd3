"""Sum of squares, and inverses of sums as scales: against exact arithmetic."""

import math
from fractions import Fraction

import numpy as np
import pytest

from golden.exact.fp16 import to_bits
from golden.exact.norms import Total, inverse, inverse_root, power_sum, square_sum
from golden.exact.token_scale import Scale

SHIFTS = (1, 2, 25, 38, 39, 40, 47, 48)


def test_square_sum_is_that_of_fractions(rng: np.random.Generator) -> None:
    finite = rng.integers(0x7C00, size=(6, 40)) | rng.integers(2, size=(6, 40)) << 15
    starts = rng.integers(1 << 60, size=6)
    got = square_sum(finite.astype(np.uint16), starts)
    for row, start, total in zip(finite, starts, got.integers(), strict=True):
        values = [Fraction(float(v)) for v in row.astype(np.uint16).view(np.float16)]
        assert total == int(start) + sum(math.floor(v * v * 2**30) for v in values)


def test_square_sum_by_hand() -> None:
    # 2**-30 is kept, what is below is cut; 1.5 squared; the largest number squared, K times.
    x = to_bits(np.array([[2.0**-15, 1.5], [2.0**-15 - 2.0**-24, -1.5]]))
    assert list(square_sum(x).integers()) == [1 + 9 * 2**28, 9 * 2**28]
    largest = np.full(16384, 0xFBFF, np.uint16)
    assert square_sum(largest, 5).integers() == 5 + 16384 * 65504**2 * 2**30
    assert power_sum(largest) == 16384 * 65504 << 24


def test_totals_of_any_integers() -> None:
    for values in ([1 << 76, 0, 5], np.array([1 << 62]), [np.int64(1 << 62)], 1 << 70):
        total = Total.of(values)
        assert (total.integers() == np.asarray(values, object)).all()


def heads() -> list[int]:
    """Return totals with every head that counts, with nothing and with everything behind it."""
    every = range(1 << 13, 1 << 14)
    return [
        (head << shift) + rest
        for shift in SHIFTS
        for head in every
        for rest in (0, (1 << shift) - 1)
    ]


def check(scale: Scale, exact: np.ndarray) -> None:
    """Compare with float64: less than 2**-10 off, a unit from the value rounded to 11 bits."""
    assert ((scale.mantissa >= 1024) & (scale.mantissa < 2048)).all()
    assert np.abs(scale.value() / exact - 1).max() < 2.0**-10
    fraction, exponent = np.frexp(exact)
    rounded = np.rint(fraction * 2048) + (exponent - 11) * 1024.0
    assert np.abs(scale.mantissa + scale.exponent * 1024 - rounded).max() == 1


def test_inverse_root_of_every_head() -> None:
    totals = heads()
    check(inverse_root(Total.of(totals)), (np.array(totals, float) * 2.0**-30) ** -0.5)


def test_inverse_of_every_head() -> None:
    totals = np.array(heads())
    check(inverse(totals), 2.0**24 / totals.astype(float))


@pytest.mark.parametrize("bits", [0, 1, 2, 13, 14, 39, 40, 41, 53, 54, 60, 61])
def test_powers_of_two_are_exact(bits: int) -> None:
    assert inverse(np.array([1 << bits])).value()[0] == 2.0 ** (24 - bits)
    even = 2 * (bits // 2)
    assert inverse_root(Total.of([1 << even])).value()[0] == 2.0 ** (15 - even // 2)


def test_long_totals() -> None:
    totals = [1 << 76, (1 << 76) - 1, 3 << 74, 1 << 63]
    got = inverse_root(Total.of(totals)).value()
    np.testing.assert_allclose(got, [float(t * 2.0**-30) ** -0.5 for t in totals], rtol=2.0**-10)


def test_zero_is_as_one() -> None:
    for function, most in (
        (lambda t: inverse(np.array(t)), 2.0**24),
        (lambda t: inverse_root(Total.of(t)), 2.0**15),
    ):
        np.testing.assert_array_equal(function([0, 1]).value(), most)
