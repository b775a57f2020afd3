"""Number formats of the index-based linear layer: what is computed, whatever hardware does it.

Everything inside the dot product is an integer, so a sum does not depend on its order and every
engine gives the same bits. The fixed-point formats below are shared by the golden model and the
hardware; the reasons for each width stand beside it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

# Activation centroids are multiples of 2**-10 of the token scale in 16 bits, so below 32 scales.
CENTROID_BITS = 16
A_FRACTION_BITS = 10
# Scales keep 11 significant bits, as many as an FP16 number has.
SCALE_BITS = 11
# The factor that turns the sum of absolute values into the token scale (1/K, mostly).
FACTOR_BITS = 16
# No token scale lies below the smallest FP16 magnitude, 2**-24; an all-zero token gets this one.
MIN_SCALE_EXPONENT = -24 - (SCALE_BITS - 1)
# round(2**27 / mantissa) has 17 significant bits: its error stays below that of FP16 itself.
RECIPROCAL_SHIFT = 27
# |x| / s_a is kept below 2**11: no token of up to 2047 inputs can exceed that (s_a = mean |x|).
RATIO_INTEGER_BITS = 11
# The narrowest table entries whose rounding stays below a tenth of the quantisation error on at
# least 34 of MiniLM's 36 linear layers, and below a fifth on all: `kllm study` measures it.
SYMMETRIC_MAGNITUDE_BITS = 8
PLAIN_MAGNITUDE_BITS = 9


@dataclass(frozen=True, kw_only=True)
class NumberSpec:
    """Widths of the product table and of the outliers' residual rows.

    Parameters
    ----------
    symmetric : bool
        Whether both codebooks are symmetric (``C = ±c``). An index is then a sign bit and a
        magnitude, and the table needs a quarter of the entries.
    magnitude_bits : int
        Bits of a table entry beside its sign, 4 to 12.
    residual_digits : int
        Digits of ``magnitude_bits`` bits in one entry of a residual row, 1 to 3.
    """

    symmetric: bool
    magnitude_bits: int
    residual_digits: int = 2

    def __post_init__(self) -> None:
        if type(self.symmetric) is not bool:
            raise TypeError(f"symmetric must be True or False, got {self.symmetric!r}")
        require_int("magnitude_bits", self.magnitude_bits, low=4, high=12)
        require_int("residual_digits", self.residual_digits, low=1, high=3)

    @property
    def w_fraction_bits(self) -> int:
        """Fraction bits of a weight centroid: its unit is the table's, so it needs the range."""
        return 14 - self.magnitude_bits

    @property
    def entry_max(self) -> int:
        """Largest magnitude of a product table entry."""
        return (1 << self.magnitude_bits) - 1

    @property
    def residual_max(self) -> int:
        """Largest magnitude of a residual row's entry; what is beyond saturates."""
        return (1 << (self.magnitude_bits * self.residual_digits)) - 1

    def sum_bits(self, inputs: int, outliers: int) -> int:
        """Bits, with sign, that hold any sum of ``inputs`` table and ``outliers`` row entries."""
        bound = inputs * self.entry_max + outliers * self.residual_max
        return bound.bit_length() + 1


def default_numbers(*, symmetric: bool, magnitude_bits: int | None = None) -> NumberSpec:
    """Return the widths that layers are quantised for unless others are asked for."""
    if magnitude_bits is None:
        magnitude_bits = SYMMETRIC_MAGNITUDE_BITS if symmetric else PLAIN_MAGNITUDE_BITS
    return NumberSpec(symmetric=symmetric, magnitude_bits=magnitude_bits)


def require_int(name: str, value: object, *, low: int, high: int) -> None:
    """Raise TypeError or ValueError unless ``value`` is an integer from ``low`` to ``high``."""
    if type(value) is not int:
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be from {low} to {high}, got {value}")


def bit_length(value: IntArray) -> IntArray:
    """Return how many bits each non-negative integer below 2**53 has; 0 has none."""
    return np.frexp(value.astype(np.float64))[1].astype(np.int64)


def round_shift(value: IntArray, shift: IntArray | int) -> IntArray:
    """Return ``value / 2**shift`` for non-negative integers, halves rounded up; shift >= 1."""
    return (value + (np.int64(1) << (np.asarray(shift, np.int64) - 1))) >> shift
