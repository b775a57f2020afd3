"""FP16 against NumPy's binary16 and exact rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from golden.exact import fp16

ALL = np.arange(1 << 16, dtype=np.uint16)
FINITE = ALL[fp16.is_finite(ALL)]


def test_finite_are_all_but_the_largest_exponent() -> None:
    np.testing.assert_array_equal(fp16.is_finite(ALL), np.isfinite(ALL.view(np.float16)))


def test_key_orders_as_the_values_do() -> None:
    order = np.argsort(fp16.key(FINITE), kind="stable")
    values = FINITE.view(np.float16)[order].astype(np.float64)
    steps = np.diff(values)
    assert (steps >= 0).all()
    assert (np.diff(fp16.key(FINITE)[order]) == 0).sum() == 1  # only -0 and +0 are equal


def test_decode_gives_the_value_back() -> None:
    sign, mantissa, exponent = fp16.decode(FINITE)
    value = np.ldexp(np.where(sign, -mantissa, mantissa).astype(float), exponent)
    np.testing.assert_array_equal(value, FINITE.view(np.float16).astype(float))
    np.testing.assert_array_equal(np.ldexp(fp16.units(FINITE).astype(float), -24), np.abs(value))


@pytest.mark.parametrize(
    ("value", "exponent", "pattern", "exact"),
    [
        (0, 0, 0x0000, True),
        (1, -24, 0x0001, True),  # the smallest subnormal
        (1, -25, 0x0000, False),
        (3, -25, 0x0001, False),
        (1023, -24, 0x03FF, True),  # the largest subnormal
        (1, -14, 0x0400, True),  # the smallest normal
        (1, 0, 0x3C00, True),
        (2049, -11, 0x3C00, False),  # one and half a step
        (65504, 0, 0x7BFF, True),
        (65505, 0, 0x7BFF, False),
        (1, 16, 0x7BFF, False),  # beyond the largest finite
        ((1 << 30) - 1, 20, 0x7BFF, False),
        ((1 << 30) - 1, -64, 0x0000, False),
    ],
)
def test_floor_magnitude(value: int, exponent: int, pattern: int, exact: bool) -> None:
    got = fp16.floor_magnitude(np.array([value]), np.array([exponent]))
    assert (got[0].item(), got[1].item()) == (pattern, exact)


def test_floor_magnitude_brackets_the_value() -> None:
    rng = np.random.default_rng(1)
    value = rng.integers(0, 1 << 28, 3000) >> rng.integers(0, 28, 3000)
    exponent = rng.integers(-50, 14, 3000)
    pattern, exact = fp16.floor_magnitude(value, exponent)
    for v, e, p, same in zip(value.tolist(), exponent.tolist(), pattern, exact, strict=True):
        true = Fraction(v) * Fraction(2) ** e
        below = Fraction(float(np.uint16(p).view(np.float16)))
        assert below <= true
        assert (below == true) == same
        if p < fp16.MAX_FINITE:
            assert true < Fraction(float(np.uint16(p + 1).view(np.float16)))


def nearest_fp16(value: Fraction) -> int:
    """Round an exact rational to FP16 by searching the magnitudes; ties to the even pattern."""
    size = abs(value)
    low, high = 0, fp16.INFINITY
    while high - low > 1:
        middle = (low + high) // 2
        if exact_magnitude(middle) <= size:
            low = middle
        else:
            high = middle
    gap = (size - exact_magnitude(low)) * 2 - (exact_magnitude(high) - exact_magnitude(low))
    pattern = high if gap > 0 or (gap == 0 and low % 2) else low
    return pattern | (0x8000 if value < 0 else 0)


def exact_magnitude(pattern: int) -> Fraction:
    """Return a magnitude's value; infinity counts as 2**16, where rounding to it begins."""
    if pattern == fp16.INFINITY:
        return Fraction(1 << 16)
    return Fraction(float(np.uint16(pattern).view(np.float16)))


def test_scaled_sum_rounds_once() -> None:
    rng = np.random.default_rng(2)
    count = 4000
    product = rng.integers(-(1 << 45), 1 << 45, count) >> rng.integers(0, 45, count)
    exponent = rng.integers(-70, -10, count)
    bias = rng.choice(FINITE, count)
    # Force what double rounding gets wrong: the sum a hair beside a tie of FP16.
    bias[:1000] = 0x3C01
    product[:1000] = (1 << 40) + rng.integers(-2, 3, 1000)
    exponent[:1000] = -40 - 11
    product[1000:1500], exponent[1000:1500] = 1, -80
    product[1500:2000], exponent[1500:2000] = -1, -80
    got = fp16.round_scaled_sum(product, exponent, bias)
    for p, e, b, y in zip(product.tolist(), exponent.tolist(), bias, got, strict=True):
        true = Fraction(p) * Fraction(2) ** e + Fraction(float(b.view(np.float16)))
        assert nearest_fp16(true) & (0xFFFF if true else 0) == y, (p, e, hex(b))


def test_scaled_sum_overflows_to_infinity_and_gives_plus_zero() -> None:
    product, exponent = (
        np.array([1 << 40, -(1 << 40), 1, 65519, 65520]),
        np.array([0, 0, -10, 0, 0]),
    )
    bias = np.array([0, 0, 0x9400, 0, 0], dtype=np.uint16)  # 0x9400 is -2**-10
    got = fp16.round_scaled_sum(product, exponent, bias)
    assert [hex(bits) for bits in got] == ["0x7c00", "0xfc00", "0x0", "0x7bff", "0x7c00"]


def test_any_nan_becomes_one_without_a_warning() -> None:
    """Of the signalling kind, too, which the processor reports when it is rounded."""
    signalling = np.array([0x7F80_0001], np.uint32).view(np.float32)
    assert not fp16.is_finite(fp16.to_bits(signalling))[0]
    assert np.isnan(fp16.to_bits(signalling).view(np.float16)[0])
