"""Number formats of the index-based linear layer: what is computed, whatever hardware does it.

Everything inside the dot product is an integer, so a sum does not depend on its order and every
engine gives the same bits. The fixed-point formats below are shared by the golden model and the
hardware; the reasons for each width stand beside it, and ``docs/numbers.md`` derives the bounds.
"""

from dataclasses import dataclass, replace

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
# Activations of 8 bits are multiples of 2**-4 token scales, up to 127 of them on either side.
GRID_BITS, GRID_FRACTION_BITS = 8, 4
GRID_MAX = (1 << (GRID_BITS - 1)) - 1
# What stands in the way of an outlier: its own centroid, and roundings, in units of s_a * C_W.
BESIDE = 4
# The narrowest table entries whose rounding stayed below a tenth of the quantisation error on at
# least 34 of MiniLM's 36 linear layers, and below a fifth on all, with activations of 4 bits and
# codebooks that could move as far as quantisation errs: docs/accuracy.md. `kllm study` measures it.
SYMMETRIC_MAGNITUDE_BITS = 8
PLAIN_MAGNITUDE_BITS = 9
# Entries of rows that are made are rounded one by one, and cannot be chosen to let errors cancel.
# At 9 bits that is below a fifth of the quantisation error in the mean over the same layers.
MADE_MAGNITUDE_BITS = 9


@dataclass(frozen=True, kw_only=True)
class NumberSpec:
    """Form and widths of the rows: what an activation offers the weight codes to choose from.

    A row has the products of one activation with all weight centroids, rounded. Rows of table
    form are those of a table of products of centroids. Rows that are made are multiplied from
    activations of 8 bits, which are a uniform grid instead of a codebook.

    Parameters
    ----------
    symmetric : bool
        Whether codebooks are symmetric (``C = ±c``). An index is then a sign bit and a magnitude,
        and a row needs half of the entries.
    magnitude_bits : int
        Bits of a row's entry beside its sign, 4 to 12.
    activation_bits : int
        Bits of an activation's code: 4 or 5 for codebooks of up to 16 or 32 centroids, 8 for rows
        that are made.
    """

    symmetric: bool
    magnitude_bits: int
    activation_bits: int = 4

    def __post_init__(self) -> None:
        if type(self.symmetric) is not bool:
            raise TypeError(f"symmetric must be True or False, got {self.symmetric!r}")
        require_int("magnitude_bits", self.magnitude_bits, low=4, high=12)
        require_int("activation_bits", self.activation_bits, low=4, high=GRID_BITS)
        if self.activation_bits not in (4, 5, GRID_BITS):
            raise ValueError(f"activation_bits must be 4, 5 or 8, got {self.activation_bits}")

    @property
    def made(self) -> bool:
        """Whether rows are multiplied from activations of 8 bits."""
        return self.activation_bits == GRID_BITS

    def runs(self, other: "NumberSpec") -> bool:
        """Whether hardware with these numbers computes with others: it may have longer codes."""
        longer = not self.made and self.activation_bits >= other.activation_bits
        return self == (replace(other, activation_bits=self.activation_bits) if longer else other)

    @property
    def w_fraction_bits(self) -> int:
        """Fraction bits of a weight centroid: its unit is the rows', so it needs the range.

        A centroid that makes rows has ``magnitude_bits`` bits beside its sign, and 2**-3 for its
        unit: 127 / 16 token scales times it then just fit an entry.
        """
        return GRID_BITS - 1 - GRID_FRACTION_BITS if self.made else 14 - self.magnitude_bits

    @property
    def w_centroid_bits(self) -> int:
        """Bits of a weight centroid beside its sign."""
        return self.magnitude_bits if self.made else CENTROID_BITS - 1

    @property
    def entry_max(self) -> int:
        """Largest magnitude of a row's entry."""
        return (1 << self.magnitude_bits) - 1

    def ratio_max(self, inputs: int) -> int:
        """Most token scales that an activation may measure: below this, for K = ``inputs``.

        A token of K inputs whose scale is their mean cannot exceed K. Scales down to half of the
        mean are allowed, and some room for their rounding.
        """
        return 1 << (inputs.bit_length() + 2)

    def _residual_room(self, inputs: int) -> int:
        """Largest product of an outlier and a weight centroid, without digits in mind."""
        return (inputs + BESIDE) << (self.magnitude_bits - 2 * self.made)

    def residual_digits(self, inputs: int) -> int:
        """Digits of ``magnitude_bits`` bits in an entry of a residual row, for K = ``inputs``."""
        return max(2, -(-(self._residual_room(inputs) // 2).bit_length() // self.magnitude_bits))

    def residual_max(self, inputs: int) -> int:
        """Largest magnitude of a residual row's entry, for K = ``inputs``."""
        digits = (1 << (self.magnitude_bits * self.residual_digits(inputs))) - 1
        return min(self._residual_room(inputs), digits)

    def sum_bits(self, inputs: int, outliers: int) -> int:
        """Bits, with sign, that hold any sum of a layer's main and residual entries."""
        return (inputs * self.entry_max + self.compensation_max(inputs, outliers)).bit_length() + 1

    def compensation_max(self, inputs: int, outliers: int) -> int:
        """Largest magnitude of a sum over the residual rows of all outliers, on both sides.

        Together they are not larger than the token, whose sum of absolute values is K scales: one
        residual at its largest, and for each its centroid, is the most.
        """
        centroids = outliers << (self.magnitude_bits + 1)
        return self.residual_max(inputs) + centroids if outliers else 0


def default_numbers(
    *, symmetric: bool, magnitude_bits: int | None = None, activation_bits: int = 4
) -> NumberSpec:
    """Return the widths that layers are quantised for unless others are asked for."""
    if magnitude_bits is None:
        table_bits = SYMMETRIC_MAGNITUDE_BITS if symmetric else PLAIN_MAGNITUDE_BITS
        magnitude_bits = MADE_MAGNITUDE_BITS if activation_bits == GRID_BITS else table_bits
    return NumberSpec(
        symmetric=symmetric,
        magnitude_bits=magnitude_bits,
        activation_bits=max(4, activation_bits),
    )


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


def round_shift_signed(value: IntArray, shift: int) -> IntArray:
    """Return ``value / 2**shift`` for any integers, halves rounded away from zero; shift >= 1."""
    return np.sign(value) * round_shift(np.abs(value), shift)
