"""IEEE 754 binary16 arithmetic in exact integers: what the FP16 units compute.

Arrays of FP16 numbers are ``uint16`` bit patterns. Rounding is to nearest, ties to even;
subnormals, signed zeros and infinities are as the standard says. A result that is not a number
is always 0x7e00, whatever NaN went in. Flags are not kept.
"""

import numpy as np
import numpy.typing as npt

from golden.exact.fp16 import INFINITY, BitArray, decode, key
from golden.exact.spec import IntArray, bit_length, require_int

NAN = 0x7E00
SIGN = 0x8000
LIMB = 40  # bits of the lower half of an exact sum

BoolArray = npt.NDArray[np.bool_]


def is_nan(bits: BitArray) -> BoolArray:
    """Return whether each pattern is not a number."""
    return (bits & 0x7FFF) > INFINITY


def is_infinite(bits: BitArray) -> BoolArray:
    """Return whether each pattern is an infinity."""
    return (bits & 0x7FFF) == INFINITY


def is_zero(bits: BitArray) -> BoolArray:
    """Return whether each pattern is a zero."""
    return (bits & 0x7FFF) == 0


def round_to_nearest(value: IntArray, exponent: IntArray) -> IntArray:
    """Round ``value * 2**exponent`` to an FP16 magnitude pattern, ties to even.

    Parameters
    ----------
    value : (...,) int64
        0 to 2**53.
    exponent : (...,) int64
        -60 to 40.

    Returns
    -------
    (...,) int64
        0 to 31744: what is too large is infinity.
    """
    # The last place kept: 11 bits from the first, but none below 2**-24.
    last = np.where(value == 0, -24, np.maximum(bit_length(value) + exponent - 11, -24))
    drop = last - exponent
    down = np.clip(drop, 0, 62)
    kept = value >> down << np.clip(-drop, 0, 11)
    rest = value & ((np.int64(1) << down) - 1)
    half = np.int64(1) << np.maximum(down, 1) >> 1
    up = (rest > half) | ((rest == half) & (kept & 1 == 1))
    # A pattern goes up by 1024 from one power of two to the next; the hidden bit adds the first.
    pattern = ((last + 24) << 10) + kept + up
    return np.minimum(pattern, INFINITY)


def fused_multiply_add(a: BitArray, b: BitArray, c: BitArray) -> BitArray:
    """Return FP16(a * b + c), rounded once.

    An exact zero is +0, unless product and addend are both negative. A zero times an infinity is
    not a number, and neither is the difference of infinities.
    """
    (sign_a, mantissa_a, exponent_a), (sign_b, mantissa_b, exponent_b) = decode(a), decode(b)
    sign_c, mantissa_c, exponent_c = decode(c)
    sign = sign_a ^ sign_b
    # Both terms in units of 2**-48, in two limbs: 80 bits would not fit one integer.
    product = _limbs(mantissa_a * mantissa_b, exponent_a + exponent_b + 48)
    addend = _limbs(mantissa_c, exponent_c + 48)
    high, low = (
        np.where(sign, -p, p) + np.where(sign_c, -q, q)
        for p, q in zip(product, addend, strict=True)
    )
    negative, value, exponent = _collapse(high + (low >> LIMB), low & ((1 << LIMB) - 1))
    zero_sign = np.where(sign == sign_c, sign, 0)
    result_sign = np.where(value == 0, zero_sign, negative)
    result = _signed(result_sign, round_to_nearest(value, exponent))

    product_infinite = is_infinite(a) | is_infinite(b)
    result = np.where(product_infinite, _signed(sign, np.full_like(sign, INFINITY)), result)
    result = np.where(is_infinite(c), c, result)
    invalid = (is_infinite(a) & is_zero(b)) | (is_zero(a) & is_infinite(b))
    invalid |= product_infinite & is_infinite(c) & (sign != sign_c)
    return np.where(invalid | is_nan(a) | is_nan(b) | is_nan(c), np.uint16(NAN), result)


def _limbs(mantissa: IntArray, shift: IntArray) -> tuple[IntArray, IntArray]:
    """Return ``mantissa << shift`` as what is above 2**40 and what is below."""
    low_shift = np.minimum(shift, LIMB)
    low = (mantissa & ((1 << 22) - 1)) << low_shift  # below 2**62
    return (low >> LIMB) << (shift - low_shift), low & ((1 << LIMB) - 1)


def _collapse(high: IntArray, low: IntArray) -> tuple[BoolArray, IntArray, IntArray]:
    """Return sign, magnitude and exponent of a sum in units of 2**-48.

    Of a large magnitude all bits below 2**-8 are summed up in the last one: it keeps 13 bits or
    more before that one, and rounding looks at 12.
    """
    negative = high < 0
    borrow = negative & (low > 0)
    high = np.where(negative, -high, high) - borrow
    low = np.where(borrow, (1 << LIMB) - low, low)
    large = high >= 1 << 13
    value = np.where(large, high | (low > 0), np.where(large, 0, high) << LIMB | low)
    return negative, value, np.where(large, LIMB - 48, -48)


def _signed(sign: npt.NDArray, pattern: npt.NDArray) -> BitArray:
    return (np.where(sign, SIGN, 0) | pattern).astype(np.uint16)


def multiply(a: BitArray, b: BitArray) -> BitArray:
    """Return FP16(a * b). A zero times an infinity is not a number."""
    (sign_a, mantissa_a, exponent_a), (sign_b, mantissa_b, exponent_b) = decode(a), decode(b)
    magnitude = round_to_nearest(mantissa_a * mantissa_b, exponent_a + exponent_b)
    magnitude = np.where(is_infinite(a) | is_infinite(b), INFINITY, magnitude)
    invalid = (is_infinite(a) & is_zero(b)) | (is_zero(a) & is_infinite(b))
    result = _signed(sign_a ^ sign_b, magnitude)
    return np.where(invalid | is_nan(a) | is_nan(b), np.uint16(NAN), result)


def add(a: BitArray, b: BitArray) -> BitArray:
    """Return FP16(a + b).

    An exact zero is +0, unless both terms are -0. The difference of infinities is not a number.
    """
    terms = []
    for bits in (a, b):
        sign, mantissa, exponent = decode(bits)
        units = mantissa << (exponent + 24)
        terms.append(np.where(sign, -units, units))
    total = terms[0] + terms[1]
    both_negative = (a & b & SIGN) != 0
    sign = np.where(total == 0, both_negative, total < 0)
    result = _signed(sign, round_to_nearest(np.abs(total), np.full_like(total, -24)))
    result = np.where(is_infinite(a), a, np.where(is_infinite(b), b, result))
    invalid = is_infinite(a) & is_infinite(b) & (a != b)
    return np.where(invalid | is_nan(a) | is_nan(b), np.uint16(NAN), result)


def compare(a: BitArray, b: BitArray) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Return whether a < b, a == b, and whether one of them is not a number.

    -0 equals +0. With a NaN neither of the first two holds.
    """
    unordered = is_nan(a) | is_nan(b)
    left, right = key(a), key(b)
    return (left < right) & ~unordered, (left == right) & ~unordered, unordered


def from_integer(value: IntArray) -> BitArray:
    """Return FP16(value) of integers of up to 54 bits; zero is +0, too large is infinity."""
    return _signed(value < 0, round_to_nearest(np.abs(value), np.zeros_like(value)))


def to_integer(bits: BitArray, width: int) -> IntArray:
    """Round to a signed integer of ``width`` bits, 2 to 32; to nearest, ties to even.

    What is beyond the range, infinities too, becomes its nearest end. NaN becomes 0.
    """
    require_int("width", width, low=2, high=32)
    sign, mantissa, exponent = decode(bits)
    units = mantissa << (exponent + 24)  # of 2**-24
    whole, rest = units >> 24, units & ((1 << 24) - 1)
    half = 1 << 23
    whole += (rest > half) | ((rest == half) & (whole & 1 == 1))
    whole = np.where(is_infinite(bits), np.int64(1) << 40, whole)
    limit = 1 << (width - 1)
    limited = np.clip(np.where(sign, -whole, whole), -limit, limit - 1)
    return np.where(is_nan(bits), 0, limited)
