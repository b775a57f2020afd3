"""IEEE 754 binary16 as bit patterns: order, magnitude, and exact rounding into it.

Arrays of FP16 numbers are ``uint16`` bit patterns throughout the golden model, as they are in
hardware; ``array.view(numpy.float16)`` gives their values.
"""

import numpy as np
import numpy.typing as npt

from golden.exact.spec import IntArray, bit_length

BitArray = npt.NDArray[np.uint16]

INFINITY = 0x7C00  # magnitude pattern; every finite magnitude lies below
MAX_FINITE = 0x7BFF


def to_bits(values: npt.NDArray[np.floating]) -> BitArray:
    """Round real values to FP16, to nearest, ties to even; return the bit patterns."""
    # Beyond 65504 is infinity, by IEEE 754; any NaN is one.
    with np.errstate(over="ignore", invalid="ignore"):
        return np.ascontiguousarray(values, dtype=np.float16).view(np.uint16)


def is_finite(bits: BitArray) -> npt.NDArray[np.bool_]:
    """Return whether each pattern is neither NaN nor infinity."""
    return (bits & 0x7FFF) < INFINITY


def flush_nonfinite(bits: BitArray) -> BitArray:
    """Replace NaN and infinity by zero, as the engine does beside raising its flag."""
    return np.where(is_finite(bits), bits, np.uint16(0))


def key(bits: BitArray) -> IntArray:
    """Return an integer per pattern that orders as the finite values do.

    The pattern without its sign is already monotone in the magnitude; two's complement then
    makes -0 equal to +0. Range -31743 to 31743 for finite values.
    """
    magnitude = (bits & 0x7FFF).astype(np.int64)
    return np.where(bits & 0x8000, -magnitude, magnitude)


def decode(bits: BitArray) -> tuple[IntArray, IntArray, IntArray]:
    """Split finite patterns into sign (0 or 1), mantissa (0 to 2047) and exponent (-24 to 5).

    The value is ``(-1)**sign * mantissa * 2**exponent``; subnormals have exponent -24.
    """
    fields = bits.astype(np.int64)
    biased = (fields >> 10) & 31
    mantissa = (fields & 1023) | np.where(biased > 0, 1024, 0)
    return fields >> 15, mantissa, np.maximum(biased, 1) - 25


def units(bits: BitArray) -> IntArray:
    """Return |x| as an exact integer in units of 2**-24, below 2**40."""
    _, mantissa, exponent = decode(bits)
    return mantissa << (exponent + 24)


def floor_magnitude(value: IntArray, exponent: IntArray) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Round ``value * 2**exponent`` down to an FP16 magnitude pattern; say whether it is exact.

    Parameters
    ----------
    value : (...,) int64
        From 0 to 2**30 - 1.
    exponent : (...,) int64
        -64 to 32.

    Returns
    -------
    pattern : (...,) int64
        0 to 31743; the largest finite pattern for anything beyond.
    exact : (...,) bool
        Whether nothing was lost.
    """
    over = (value > 0) & (bit_length(value) + exponent > 16)
    shift = np.where(over, 0, np.clip(exponent + 24, -31, 40))
    up, down = np.maximum(shift, 0), np.maximum(-shift, 0)
    whole = value << up >> down  # in units of 2**-24, the smallest step
    drop = np.maximum(bit_length(whole) - 11, 0)
    exact = whole >> drop << drop << down == value << up
    # Above the subnormals each doubling adds 1024 to the pattern; the hidden bit adds the first.
    pattern = np.where(over, MAX_FINITE, (drop << 10) + (whole >> drop))
    return pattern, exact & ~over


def round_scaled_sum(product: IntArray, exponent: IntArray, bias: BitArray) -> BitArray:
    """Return FP16(product * 2**exponent + bias), rounded once, to nearest, ties to even.

    The sum is taken in float64 and its last bit forced to one where it was not exact ("round to
    odd"): 53 bits are more than twice 11 and two, so the second rounding cannot see the first.

    Parameters
    ----------
    product : (...,) int64
        Magnitudes below 2**53, so exact in float64.
    exponent : (...,) int64
        -200 to 200.
    bias : (...,) uint16
        FP16 patterns.

    Returns
    -------
    (...,) uint16
        Overflow gives infinity. An exact zero is +0.
    """
    a = np.ldexp(product.astype(np.float64), exponent)
    b = bias.view(np.float16).astype(np.float64)
    total = a + b
    back = total - a
    error = (a - (total - back)) + (b - back)  # two-sum: total + error is exact
    pattern = total.view(np.int64)
    even = (pattern & 1) == 0
    # Towards the error: away from zero when the signs agree, towards zero when they differ.
    step = np.where((error > 0) == (total > 0), 1, -1)
    odd = np.where((error != 0) & even, pattern + step, pattern).view(np.float64)
    bits = to_bits(odd)
    return np.where(odd == 0, np.uint16(0), bits)
