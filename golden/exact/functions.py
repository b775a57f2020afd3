"""Functions of one FP16 number: exp, sigmoid, reciprocal, rsqrt, tanh, erf; bit-exact integers.

Arrays of FP16 numbers are ``uint16`` bit patterns. Every function is a straight line within each
of some segments: ``value = base + (slope * t >> 8)``, in units of 2**-12, where the leading bits of
a reduced argument say which segment it is and the next eight are t. Base and slope come from
float64 values of the function, in :func:`fit`.

Results are at most one unit in FP16's last place (ulp) from the correctly rounded ones, those of
tanh and erf at most two; a test tries all 65 536 inputs. Any NaN gives 0x7e00. Further:

=============  ==========  =========  ======  ======  =========================================
function       -infinity   negative   -0      +0      +infinity
=============  ==========  =========  ======  ======  =========================================
exp            +0          value      1       1       +infinity; values from 65520 on are too
sigmoid        +0          value      1/2     1/2     1
reciprocal     -0          value      -inf    +inf    +0; |x| up to 2**-16 gives an infinity
rsqrt          NaN         NaN        -inf    +inf    +0
tanh, erf      -1          value      -0      +0      1
=============  ==========  =========  ======  ======  =========================================
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from golden.exact.fp16 import INFINITY, BitArray
from golden.exact.fp16_arithmetic import NAN, SIGN, is_infinite, is_nan, is_zero
from golden.exact.spec import IntArray, bit_length

FloatArray = npt.NDArray[np.float64]

UNIT_BITS = 12  # fraction of a value: two bits more than FP16 has
ONE = 1 << UNIT_BITS
VALUE_MAX = 2 * ONE - 1  # which rounds to 2
T_BITS = 8  # of the place within a segment
SEGMENT_BITS = 4  # of those that a binade has: 16, or 32 for the reciprocal
# |x| log2(e) in units of 2**-12: the product with this, 23637 = 23 * 1024 + 85, shifted down.
LOG2_E = round(math.log2(math.e) * 2**14)
POWER_BITS = SEGMENT_BITS + T_BITS  # of the fraction of such a product
POWER_MAX = (32 << POWER_BITS) - 1  # beyond that of any result that is neither 0 nor infinite
SIGMOID_LAST = 13  # from this power of two on, sigmoid(-x) is exp(-x)
FLAT = -7  # binade below which tanh(x) is x, and erf(x) a straight line
BIAS = 15
ONE_PATTERN = BIAS << 10


class Segments(NamedTuple):
    """Straight lines in the place of a function, segment by segment.

    Parameters
    ----------
    base : (segments,) int64
        Value at t = 0, in units of 2**-12.
    slope : (segments,) int64
        By how much the value is larger at t = 256; never negative.
    """

    base: IntArray
    slope: IntArray

    def at(self, segment: IntArray, t: IntArray) -> IntArray:
        """Return the value in a segment at 0 <= t < 256."""
        return self.base[segment] + (self.slope[segment] * t >> T_BITS)


def fit(values: FloatArray, after: int = 0) -> Segments:
    """Return segments through what a function gives in each of them.

    Parameters
    ----------
    values : (segments, points) float64
        At ``points`` equidistant t. The slope is that from the first to the last, to the nearest
        integer; the base makes the largest error on either side equal, to the nearest integer,
        the even one of two, but no value rounds to more than 2.
    after : int
        The first t.
    """
    points = values.shape[1]
    t = np.arange(points) * (1 << T_BITS) // points + after
    exact = values * ONE
    rise = (exact[:, -1] - exact[:, 0]) * (points / (points - 1))
    slope = np.rint(rise).astype(np.int64)
    rest = exact - (slope[:, None] * t >> T_BITS)
    base = np.rint((rest.max(axis=1) + rest.min(axis=1)) / 2).astype(np.int64)
    return Segments(np.minimum(base, VALUE_MAX - (slope * t[-1] >> T_BITS)), slope)


def grid(segment_bits: int, points: int, middle: float = 0) -> FloatArray:
    """Return fractions from 0 to 1 as (segments, points), moved up by part of a step."""
    count = points << segment_bits
    return ((np.arange(count) + middle) / count).reshape(-1, points)


def _binades(exponents: range, scale: Callable[[int], int], function: Callable) -> FloatArray:
    """Return ``function(x) * 2**-scale`` for every x of some binades."""
    z = 1 + grid(SEGMENT_BITS, 64)
    return np.concatenate([function(np.ldexp(z, e)) * 2.0 ** -scale(e) for e in exponents])


# The fraction of a power is cut, so that the middle of a step stands for what it may have been.
_POWER = grid(SEGMENT_BITS, 1 << T_BITS, 0.5)
EXP = fit(np.exp2(_POWER))
# By the whole part n of |x| log2(e), then by what its fraction lacks to 1:
# sigmoid(-|x|) * 2**(n + 1), from 2/3 to 2.
SIGMOID = fit(
    np.concatenate([2.0 ** (n + 1) / (1 + np.exp2(n + 1 - _POWER)) for n in range(SIGMOID_LAST)])
)
# By what the fraction, with zeros behind it, lacks to its most, since the functions fall: 2 / z for
# z from 1 to 2 ...
RECIPROCAL = fit((2 / (1 + grid(SEGMENT_BITS + 1, 32)))[::-1, ::-1], 7)
# ... and 2 / sqrt(z), then 2 / sqrt(2 z).
_ROOTS = [np.sqrt(k * (1 + grid(SEGMENT_BITS, 64))) for k in (1, 2)]
RSQRT = fit(np.concatenate([2 / root[::-1, ::-1] for root in _ROOTS]), 3)
_erf = np.vectorize(math.erf, otypes=[np.float64])


def tanh_scale(exponent: int) -> int:
    """Return which power of two the values of a binade of tanh are multiples of."""
    return min(exponent, -1)


def erf_scale(exponent: int) -> int:
    """Return the same for erf, which exceeds x where x is small."""
    return min(exponent + 1, -1)


TANH_BINADES, ERF_BINADES = range(FLAT + 1, 3), range(FLAT + 1, 2)
TANH = fit(_binades(TANH_BINADES, tanh_scale, np.tanh))
# Before the binades two straight lines, for fractions without the hidden bit and with it.
ERF = fit(
    np.concatenate(
        [(grid(SEGMENT_BITS, 64) + hidden) / math.sqrt(math.pi) for hidden in (0, 1)]
        + [_binades(ERF_BINADES, erf_scale, _erf)]
    )
)
ERF.base[0] = 0  # erf(0) is 0, not what makes errors equal


def power(bits: BitArray) -> IntArray:
    """Return |x| log2(e) in units of 2**-12, cut, below 2**17; what is larger is 2**17 - 1."""
    _, exponent, mantissa = fields(bits)
    units = mantissa * LOG2_E >> np.maximum(27 - exponent, 0)
    return np.where(exponent > 19, POWER_MAX, np.minimum(units, POWER_MAX))


def exp(bits: BitArray) -> BitArray:
    """Return e**x."""
    negative = bits >= SIGN
    units = np.where(negative, ~power(bits), power(bits))  # floor of x log2(e), the cut included
    segment, t = _complement(~units, SEGMENT_BITS)
    result = _pattern(EXP.at(segment, t), BIAS - 1 + (units >> POWER_BITS))
    result = np.where(is_infinite(bits), np.where(negative, 0, INFINITY), result)
    return finish(bits, result)


def sigmoid(bits: BitArray) -> BitArray:
    """Return 1 / (1 + e**-x)."""
    whole = power(bits) >> POWER_BITS
    segment, t = _complement(power(bits), SEGMENT_BITS)
    row = np.minimum(whole, SIGMOID_LAST - 1)
    value = np.where(
        whole < SIGMOID_LAST,
        SIGMOID.at((row << SEGMENT_BITS) + segment, t),
        EXP.at(segment, t),
    )
    # What lies below 1/2 is a number; what lies above is 1 less it, a fixed point.
    below = normal_pattern(value, BIAS - 2 - whole)
    above = ONE_PATTERN - _round(value >> whole)
    result = np.where(bits >= SIGN, below, above)
    result = np.where(is_infinite(bits), np.where(bits >= SIGN, 0, ONE_PATTERN), result)
    return finish(bits, result)


def reciprocal(bits: BitArray) -> BitArray:
    """Return 1 / x."""
    sign, exponent, mantissa = _normalised(bits)
    value = RECIPROCAL.at(*_complement(mantissa << T_BITS - 5, SEGMENT_BITS + 1))
    result = _pattern(value, 2 * BIAS - 2 - exponent)
    result = np.where(is_zero(bits), INFINITY, np.where(is_infinite(bits), 0, result))
    return finish(bits, result, sign)


def rsqrt(bits: BitArray) -> BitArray:
    """Return 1 / sqrt(x)."""
    sign, exponent, mantissa = _normalised(bits)
    segment, t = _complement(mantissa << T_BITS - 6, SEGMENT_BITS)
    odd = (exponent - BIAS) & 1
    value = RSQRT.at((odd << SEGMENT_BITS) + segment, t)
    result = _pattern(value, BIAS - 2 - ((exponent - BIAS) >> 1))
    result = np.where(is_zero(bits), INFINITY, np.where(is_infinite(bits), 0, result))
    result = finish(bits, result, sign)
    return np.where((sign != 0) & ~is_zero(bits), np.uint16(NAN), result)


def tanh(bits: BitArray) -> BitArray:
    """Return the hyperbolic tangent."""
    sign, exponent, mantissa = fields(bits)
    row = np.clip(exponent - BIAS - TANH_BINADES.start, 0, len(TANH_BINADES) - 1)
    value = TANH.at(*_place(row, mantissa))
    scale = np.minimum(exponent - BIAS, -1)
    result = normal_pattern(value, BIAS - 1 + scale)
    result = np.where(exponent - BIAS <= FLAT, bits & (SIGN - 1), result)
    result = np.where(exponent - BIAS > TANH_BINADES[-1], ONE_PATTERN, result)
    return finish(bits, result, sign)


def erf(bits: BitArray) -> BitArray:
    """Return the error function."""
    sign, exponent, mantissa = fields(bits)
    row = np.clip(exponent - BIAS - FLAT, 0, len(ERF_BINADES)) + (mantissa >> 10)
    value = ERF.at(*_place(row, mantissa))
    scale = np.minimum(exponent - BIAS + 1, -1)
    result = normal_pattern(value, BIAS - 1 + scale)
    result = np.where(exponent - BIAS > ERF_BINADES[-1], ONE_PATTERN, result)
    return finish(bits, result, sign)


FUNCTIONS: dict[str, Callable[[BitArray], BitArray]] = {
    function.__name__: function for function in (exp, sigmoid, reciprocal, rsqrt, tanh, erf)
}


def fields(bits: BitArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return the sign's place, the biased exponent (subnormals: 1), and 11 bits of mantissa."""
    words = bits.astype(np.int64)
    biased = (words >> 10) & 31
    return words & SIGN, np.maximum(biased, 1), (words & 1023) | ((biased > 0) << 10)


def _normalised(bits: BitArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return the same with the first one of each mantissa at its top; zero has none."""
    sign, exponent, mantissa = fields(bits)
    up = np.where(mantissa > 0, 11 - bit_length(mantissa), 0)
    return sign, exponent - up, mantissa << up


def _complement(units: IntArray, segment_bits: int) -> tuple[IntArray, IntArray]:
    """Return segment and t of what a fraction lacks to its most."""
    rest = ~units
    return (rest >> T_BITS) & ((1 << segment_bits) - 1), rest & ((1 << T_BITS) - 1)


def _place(row: IntArray, mantissa: IntArray) -> tuple[IntArray, IntArray]:
    """Return segment and t of a mantissa in a table by binades."""
    fraction = mantissa & 1023
    return (row << SEGMENT_BITS) + (fraction >> 6), (fraction & 63) << T_BITS - 6


def _round(value: IntArray) -> IntArray:
    """Return a value in units of 2**-10, halves up."""
    return (value + 2) >> UNIT_BITS - 10


def _pattern(value: IntArray, exponent: IntArray) -> IntArray:
    """Return the magnitude pattern of a value from 1 to 2.

    ``exponent`` is the biased one less 1; negative, it makes a subnormal.
    """
    shifted = value >> np.clip(-exponent, 0, 15)
    # The hidden bit adds the one that the exponent lacks.
    return np.minimum((np.maximum(exponent, 0) << 10) + _round(shifted), INFINITY)


def normal_pattern(value: IntArray, exponent: IntArray) -> IntArray:
    """Return the same of a value from 1/2 to 2."""
    up = (value < ONE) & (exponent > 0)
    return _pattern(value << up, exponent - up)


def finish(bits: BitArray, magnitude: IntArray, sign: IntArray | int = 0) -> BitArray:
    """Return patterns with their signs, NaN where the argument is."""
    return np.where(is_nan(bits), np.uint16(NAN), (magnitude | sign).astype(np.uint16))
