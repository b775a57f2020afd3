"""The output scaler's arithmetic: by hand, and against exact numbers."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.exact.fp16 import INFINITY, is_finite, to_bits
from golden.exact.output_scaling import scale_sums, scaled
from golden.exact.spec import bit_length
from golden.exact.token_scale import Scale

COUNT = 200_000
ONE = Scale(np.array([1024]), np.array([-10]))


def one(mantissa: int, exponent: int) -> Scale:
    return Scale(np.array([mantissa]), np.array([exponent]))


@pytest.mark.parametrize(
    ("total", "token", "channel", "product", "exponent"),
    [
        # 2**14 * 2**14 + 40960 is 8193.25 * 2**15.
        (1, ONE, ONE, 8193, -13),
        # What is kept of 3 - 2**-15 is 24575, of 1.5 * 5 it is 30720 = 15 * 2**11; in units of
        # 2**12, rows of 12287.5, 24575, 49150 and 98300, of which the half is left out, make
        # 184312; 10 more, and an eighth of that is 23040.25.
        (-3, one(1536, -10), one(1280, -8), -23040, -10),
        # 2047 * 2047 loses 49 and gets 48; a bit longer, 7 bits of it are cut: 32735. What is kept
        # of 2**31 - 1 is 32767.
        ((1 << 31) - 1, one(2047, -10), one(2047, -10), 32735, 18),
        (0, one(2047, 5), one(2047, 63), 0, 75),
    ],
)
def test_product_by_hand(
    total: int, token: Scale, channel: Scale, product: int, exponent: int
) -> None:
    got, at = scaled(np.array([total]), token, channel)
    assert (got.item(), at.item()) == (product, exponent)


def test_bias_overflow_and_zero_by_hand() -> None:
    sums = np.array([-3, -3, 0, 0, 3, -3, 1, -1])
    token = Scale(np.full(8, 1536), np.array([-10, -10, 5, 5, 9, 9, -64, -64]))
    channel = Scale(np.full(8, 1280), np.full(8, -8))
    bias = np.array([0x3800, 0x4DA0, 0xC000, 0x8000, 0, 0, 0, 0], np.uint16)
    # -22.5 with 0.5 and with 22.5; a bias alone; an infinity of each sign; next to nothing.
    got = scale_sums(sums, token, channel, bias).tolist()
    assert got == [0xCD80, 0, 0xC000, 0, INFINITY, INFINITY | 0x8000, 0, 0x8000]


def random_products(kind: str) -> tuple[np.ndarray, Scale, Scale]:
    """Return sums and scales; where low columns are left out, ones lose most."""
    rng = np.random.default_rng(3)
    sums = rng.integers(1, 1 << 31, COUNT) >> rng.integers(0, 31, COUNT)
    mantissas = rng.integers(1024, 2048, (2, COUNT))
    if kind == "ones":
        sums |= (1 << rng.integers(0, 31, COUNT)) - 1
        mantissas |= (1 << rng.integers(0, 10, (2, COUNT))) - 1
    sums = sums * rng.choice([-1, 1], COUNT)
    token, channel = (Scale(row, np.zeros(COUNT, np.int64)) for row in mantissas)
    return sums, token, channel


def places_off(sums: np.ndarray, token: Scale, channel: Scale) -> np.ndarray:
    """Return by how many of FP16's last places the products are too large."""
    exact = np.abs(sums) * token.mantissa * channel.mantissa  # below 2**53
    product, exponent = scaled(sums, token, channel)
    assert (np.sign(product) == np.sign(sums)).all()
    assert (np.abs(product) < 1 << 15).all()
    found = np.ldexp(np.abs(product).astype(np.float64), exponent)
    return np.ldexp(found - exact, 11 - bit_length(exact))


@pytest.mark.parametrize("kind", ["any", "ones"])
def test_products_are_within_a_third_of_the_last_place(kind: str) -> None:
    off = places_off(*random_products(kind))
    assert off.min() > -1 / 3
    assert off.max() < 0.3
    if kind == "any":
        assert abs(off.mean()) < 0.02
        assert np.sqrt((off**2).mean()) < 0.06  # rounding alone: 0.29


@settings(max_examples=150)
@given(
    st.integers(1 - (1 << 31), (1 << 31) - 1),
    *[st.integers(1024, 2047)] * 2,
    st.integers(-60, 0),
    st.integers(0, (1 << 16) - 1).filter(lambda bits: bits & 0x7FFF < INFINITY),
)
def test_outputs_are_as_near_as_said(total: int, a: int, w: int, exponent: int, bits: int) -> None:
    bias = np.array([bits], np.uint16)
    y = scale_sums(np.array([total]), one(a, exponent), one(w, 0), bias)
    product = Fraction(total * a * w) * Fraction(2) ** exponent
    exact = product + Fraction(float(bias.view(np.float16).item()))
    if not is_finite(y).all():
        assert abs(exact) > 65504
        return
    value = float(y.view(np.float16).item())
    half = Fraction(2) ** (max(y.item() >> 10 & 31, 1) - 26)
    third = Fraction(2) ** (abs(total * a * w).bit_length() + exponent - 11) / 3
    assert abs(Fraction(value) - exact) <= half + third


def test_what_an_fp16_number_holds_comes_out_as_it_is() -> None:
    sums = np.arange(-2048, 2049)
    y = scale_sums(sums, ONE, ONE, np.zeros(1, np.uint16))
    np.testing.assert_array_equal(y, to_bits(sums.astype(np.float64)))
