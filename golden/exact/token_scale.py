"""Token scale: the mean absolute value of a token's activations, in 11 significant bits."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from golden.exact.fp16 import BitArray, units
from golden.exact.spec import (
    FACTOR_BITS,
    MIN_SCALE_EXPONENT,
    SCALE_BITS,
    IntArray,
    bit_length,
    round_shift,
)

# Exponents of a factor that a token brings along: from 2**-30 to below 2**43. As no token scale
# reaches 2**31, the exponents of its product with a factor are from -64 to 63, as all scales' are.
TOKEN_FACTOR_EXPONENTS = range(-40, 33)


@dataclass(frozen=True)
class Scale:
    """Positive scales ``mantissa * 2**exponent``.

    Parameters
    ----------
    mantissa : (...,) int64
        1024 to 2047: always normalised.
    exponent : (...,) int64
    """

    mantissa: IntArray
    exponent: IntArray

    def value(self) -> npt.NDArray[np.float64]:
        """Return the scales as float64, exactly."""
        return np.ldexp(self.mantissa.astype(np.float64), self.exponent)


@dataclass(frozen=True)
class ScaleFactor:
    """What the sum of absolute values is multiplied by: ``mantissa * 2**exponent``.

    Parameters
    ----------
    mantissa : int
        2**15 to 2**16 - 1.
    exponent : int
    """

    mantissa: int
    exponent: int

    def value(self) -> float:
        """Return the factor, exactly."""
        return math.ldexp(self.mantissa, self.exponent)

    def ratio_max(self) -> float:
        """Return the most token scales that an activation of any token can measure.

        No activation exceeds the token's sum, of which the scale is the factor's part; it keeps
        16 bits of the sum and 11 of the product, so it is too small by less than 2**-10 of it.
        """
        return (1 + 2.0**-10) / self.value()

    @classmethod
    def mean(cls, inputs: int, times: Fraction | int = 1) -> "ScaleFactor":
        """Return the factor nearest to ``times / inputs``."""
        exact = Fraction(times) / inputs
        exponent = exact.numerator.bit_length() - exact.denominator.bit_length() - FACTOR_BITS
        while round(exact / Fraction(2) ** exponent) >= 1 << FACTOR_BITS:
            exponent += 1
        return cls(round(exact / Fraction(2) ** exponent), exponent)


def token_scale(bits: BitArray, factor: ScaleFactor | Scale) -> Scale:
    """Return the scale of each token: ``factor`` times the sum of its absolute values.

    The sum is exact. Its 16 leading bits (the rest is cut) are multiplied by the factor and the
    product is rounded to 11 bits, halves up. No scale is below 2**-24.

    Parameters
    ----------
    bits : (T, K) uint16
        Finite FP16 patterns.
    factor : ScaleFactor
        1/K for the mean; or one for each token, whose mantissas have 16 bits.

    Returns
    -------
    Scale
        Shapes (T,).
    """
    total = units(bits).sum(axis=1)
    length = bit_length(total)
    head = np.where(
        length > FACTOR_BITS,
        total >> np.maximum(length - FACTOR_BITS, 0),
        total << np.maximum(FACTOR_BITS - length, 0),
    )
    product = head * factor.mantissa
    drop = bit_length(product) - SCALE_BITS
    mantissa = round_shift(product, np.maximum(drop, 1))
    exponent = drop + length - FACTOR_BITS + factor.exponent - 24
    carry = mantissa >> SCALE_BITS
    mantissa, exponent = mantissa >> carry, exponent + carry
    low = (total == 0) | (exponent < MIN_SCALE_EXPONENT)
    return Scale(
        np.where(low, 1 << (SCALE_BITS - 1), mantissa), np.where(low, MIN_SCALE_EXPONENT, exponent)
    )


def times_factor(scale: Scale, factor: Scale) -> Scale:
    """Return token scales times the factors that the tokens bring along, rounded to 11 bits.

    Halves are rounded up, so a product is off by at most 2**-11 of it.

    Parameters
    ----------
    scale, factor : Scale
        Shapes (T,).

    Raises
    ------
    ValueError
        If a factor's mantissa is not normalised, its exponent is not one of
        :data:`TOKEN_FACTOR_EXPONENTS`, or there is not one for each token.
    """
    if not scale.mantissa.shape == factor.mantissa.shape == factor.exponent.shape:
        raise ValueError(f"factor must have shape {scale.mantissa.shape}, one for each token")
    if (factor.mantissa >> (SCALE_BITS - 1) != 1).any():
        raise ValueError("mantissas of factors must be from 1024 to 2047")
    allowed = TOKEN_FACTOR_EXPONENTS
    if not np.isin(factor.exponent, allowed).all():
        raise ValueError(f"exponents of factors must be from {allowed[0]} to {allowed[-1]}")
    product = scale.mantissa * factor.mantissa
    drop = bit_length(product) - SCALE_BITS
    mantissa = round_shift(product, drop)
    carry = mantissa >> SCALE_BITS
    return Scale(mantissa >> carry, scale.exponent + factor.exponent + drop + carry)
