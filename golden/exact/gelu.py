"""GELU of an FP16 number in both forms, straight line by straight line; bit-exact integers.

``gelu`` is x (1 + erf(x / sqrt 2)) / 2, and ``gelu_tanh`` the form in which tanh stands for erf,
x / (1 + exp(-2 sqrt(2 / pi) (x + 0.044715 x**3))). Neither is a product here: tables have values of
GELU itself, of positive and of negative numbers, as those of :mod:`golden.exact.functions` have
those of their functions. From -1 on downwards GELU falls as exp(-x**2 / 2), so that a binade has
more segments there, and each segment a scale of its own.

Results are at most two units in FP16's last place from the correctly rounded ones; a test tries all
65 536 inputs. Any NaN gives 0x7e00. Further:

=========  ==========  ===  ===  ==============  =========
-infinity  below -5.8  -0   +0   3.376 and more  +infinity
=========  ==========  ===  ===  ==============  =========
-0         -0          -0   +0   itself          +infinity
=========  ==========  ===  ===  ==============  =========
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from golden.exact.fp16 import INFINITY, BitArray
from golden.exact.fp16_arithmetic import is_infinite
from golden.exact.functions import (
    BIAS,
    SEGMENT_BITS,
    T_BITS,
    FloatArray,
    Segments,
    fields,
    finish,
    fit,
    grid,
    normal_pattern,
)
from golden.exact.spec import IntArray

FIRST = -11  # binade below which GELU is x / 2
RISING = range(FIRST, 2)  # binades of positive numbers; larger ones are their own GELU
FALLING = range(3)  # binades of negative numbers from -1 on downwards; beyond GELU is zero
LEAST_SCALE = 1 - BIAS  # of FP16's subnormals
FRACTION = 10  # bits
# Rows before those of a falling binade, and the bits that it has more.
STARTS, MORE = np.array([11, 12, 16]), np.array([0, 2, 3])
T_MAX = (1 << T_BITS) - 1
TURN = 1 << FRACTION - 1  # fraction from which on, in the binade of -1/2, GELU falls


class Table(NamedTuple):
    """Segments of GELU, by rows of sixteen.

    Parameters
    ----------
    positive : Segments
        A row for each binade of ``RISING``; in units of the binade.
    negative : Segments
        Those of -2**-11 to -1, in units of half the binade, then 1, 4 and 4 rows of ``FALLING``.
    scale : (144,) int64
        Power of two of the units of the latter.
    """

    positive: Segments
    negative: Segments
    scale: IntArray


def make(function: Callable[[FloatArray], FloatArray]) -> Table:
    """Return the table of a function that is x for large numbers, and x / 2 for small ones."""

    def binade(exponent: int, bits: int, sign: int) -> FloatArray:
        points = 1 << FRACTION - bits
        return sign * function(sign * np.ldexp(1 + grid(bits, points), exponent))

    def falling(values: FloatArray) -> Segments:
        points = values.shape[1]
        return fit(values[:, ::-1], (1 << T_BITS) // points - 1)

    rises = [binade(e, SEGMENT_BITS, 1) * 2.0**-e for e in RISING]
    smaller = [binade(e, SEGMENT_BITS, -1) * 2.0 ** (1 - e) for e in range(FIRST, 0)]
    halves = np.split(smaller.pop(), 2)
    parts = [fit(np.concatenate([*smaller, halves[0]])), falling(halves[1])]
    scales = []
    for exponent, more in zip(FALLING, MORE.tolist(), strict=True):
        values = binade(exponent, SEGMENT_BITS + more, -1)
        if exponent == FALLING[-1]:
            values = values[: len(values) // 2]  # up to -6, where GELU is zero
        scale = np.floor(np.log2(values.max(axis=1))).astype(np.int64)
        scales.append(np.maximum(scale, LEAST_SCALE))
        parts.append(falling(values * 2.0 ** -scales[-1][:, None]))
    negative = Segments(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return Table(fit(np.concatenate(rises)), negative, np.concatenate(scales))


def _distribution(x: FloatArray) -> FloatArray:
    """Return x times the normal distribution's sum."""
    return x * np.vectorize(math.erfc, otypes=[np.float64])(-x / math.sqrt(2)) / 2


def _logistic(x: FloatArray) -> FloatArray:
    """Return the form with tanh."""
    return x / (1 + np.exp(-2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


TABLES = {"gelu": make(_distribution), "gelu_tanh": make(_logistic)}


def gelu(bits: BitArray) -> BitArray:
    """Return GELU."""
    return _by_table(bits, TABLES["gelu"])


def gelu_tanh(bits: BitArray) -> BitArray:
    """Return GELU in the form with tanh."""
    return _by_table(bits, TABLES["gelu_tanh"])


GELUS: dict[str, Callable[[BitArray], BitArray]] = {"gelu": gelu, "gelu_tanh": gelu_tanh}


def _by_table(bits: BitArray, table: Table) -> BitArray:
    """Return the function that a table is of."""
    sign, biased, mantissa = fields(bits)
    exponent, fraction, below = biased - BIAS, mantissa & ((1 << FRACTION) - 1), sign != 0
    falls = below & ((exponent >= FALLING[0]) | ((exponent == FALLING[0] - 1) & (fraction >= TURN)))
    # How many segments are before those of the binade, and by how many bits its own are more.
    steep = np.where(below, np.clip(exponent, 0, FALLING[-1]), 0)
    rows = np.where(steep > 0, STARTS[steep], exponent - FIRST)
    more = MORE[steep]
    segment = (rows << SEGMENT_BITS) + (fraction >> FRACTION - SEGMENT_BITS - more)
    t = (fraction << more + T_BITS + SEGMENT_BITS - FRACTION) & T_MAX ^ np.where(falls, T_MAX, 0)

    def at(segments: Segments) -> IntArray:
        return segments.at(np.clip(segment, 0, len(segments.base) - 1), t)

    first = len(table.negative.base) - len(table.scale)
    scale = table.scale[np.clip(segment - first, 0, len(table.scale) - 1)]
    scale = np.where(below & (exponent >= FALLING[0]), scale, exponent - below)
    value = np.where(below, at(table.negative), at(table.positive))
    # A large positive number is its own value, a small number that of half the binade.
    small = exponent < FIRST
    itself = small | (~below & (exponent > RISING[-1]))
    result = normal_pattern(
        np.where(itself, mantissa << 2, value), BIAS - 1 + np.where(small, exponent - 1, scale)
    )
    result = np.where(below & (exponent > FALLING[-1]), 0, result)
    return finish(bits, np.where(is_infinite(bits) & ~below, INFINITY, result), sign)
