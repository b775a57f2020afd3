"""Formats that all rooms of the hardware share: keys of FP16 numbers, indices, scales."""

from amaranth.hdl import signed, unsigned
from amaranth.lib import data

from golden.exact.levels import LEVELS_MAX, STEP_BITS
from golden.exact.spec import SCALE_BITS, require_int

INDEX_BITS = 4  # wires of an index; codebooks of 4 or 8 centroids leave some codes unused
KEY = signed(16)
A_EXPONENT = signed(7)
SCALE = data.StructLayout({"mantissa": SCALE_BITS, "exponent": A_EXPONENT})
FORM = unsigned(2)  # of rows that are made: golden.exact.levels.Form
# Levels, and where the ranges of all but level 0 begin.
LEVELS = data.StructLayout(
    {
        "value": data.ArrayLayout(STEP_BITS, LEVELS_MAX),
        "first": data.ArrayLayout(STEP_BITS, LEVELS_MAX - 1),
    }
)


def require_power_of_two(name: str, value: object, *, low: int, high: int) -> None:
    """Raise TypeError or ValueError unless ``value`` is a power of two from ``low`` to ``high``."""
    require_int(name, value, low=low, high=high)
    if value & (value - 1):  # pyright: ignore[reportOperatorIssue]
        raise ValueError(f"{name} must be a power of two from {low} to {high}, got {value}")
