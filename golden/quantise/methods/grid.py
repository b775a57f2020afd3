"""Uniform grids, as integer arithmetic has them, one for each row or group of it.

Symmetric ones have a scale; asymmetric ones a zero point, too, and so their ends where the values
have theirs.
"""

import numpy as np
import numpy.typing as npt

from golden.base.errors import InputError

Floats = npt.NDArray[np.floating]

BITS = range(2, 9)
SEARCH_STEPS = 80
NARROWEST_CLIP = 0.2
ERROR_POWER = 2.4


def require_bits(name: str, bits: object) -> None:
    """Raise InputError unless ``bits`` is from 2 to 8."""
    if type(bits) is not int or bits not in BITS:
        raise InputError(f"{name} must be from 2 to 8, got {bits}")


def to_grid(values: Floats, scale: Floats, bits: int) -> Floats:
    """Return the grid points next to values: scale times -2**(bits-1) to 2**(bits-1) - 1.

    Halves go to the even neighbour, as in PyTorch.
    """
    top = (1 << (bits - 1)) - 1
    return np.clip(np.rint(values / scale), -top - 1, top) * scale


def largest_scale(values: Floats, bits: int, clip: float = 1.0) -> Floats:
    """Return the scale (R, 1) with which ``clip`` times a row's largest magnitude is the top."""
    largest = np.abs(values).max(axis=1, keepdims=True)
    return np.where(largest > 0, largest, 1) * clip / ((1 << (bits - 1)) - 1)


def searched_scale(values: Floats, bits: int) -> Floats:
    """Return for each row (R, K) the scale (R, 1) of least error.

    Clip ratios from 1 down to 0.21 are tried; the error is the sum of ``|error|**2.4``, as in the
    published code of GPTQ and QuaRot.
    """
    full = largest_scale(values, bits)
    best, least = full, np.full(full.shape, np.inf)
    for clip in np.linspace(1, NARROWEST_CLIP, SEARCH_STEPS, endpoint=False):
        off = np.abs(to_grid(values, full * clip, bits) - values)
        error = (off**ERROR_POWER).sum(axis=1, keepdims=True)
        best = np.where(error < least, full * clip, best)
        least = np.minimum(error, least)
    return best


def to_shifted_grid(values: Floats, bits: int, clip: float, *, with_zero: bool) -> Floats:
    """Return the points next to values (R, K) of an asymmetric grid for each row.

    After QuaRot's published code: ``2**bits`` points from ``clip`` times the least value to
    ``clip`` times the largest, moved by less than half a step so that zero is a point.

    Parameters
    ----------
    values : (R, K) float
    bits : int
    clip : float
    with_zero : bool
        Whether the ends lie on either side of zero even if all values lie on one. Rows of equal
        values have such ends in any case.
    """
    low, high = (clip * end(values, axis=1, keepdims=True) for end in (np.min, np.max))
    spread = ~with_zero & (low < high)
    low, high = (
        np.where(spread, low, np.minimum(low, 0)),
        np.where(spread, high, np.maximum(high, 0)),
    )
    most = (1 << bits) - 1
    scale = np.where(low < high, high - low, 1) / most
    zero = np.rint(-low / scale)
    return (np.clip(np.rint(values / scale) + zero, 0, most) - zero) * scale


def quantize_rows(
    values: Floats,
    bits: int,
    *,
    clip: float = 1.0,
    group: int | None = None,
    asymmetric: bool = False,
) -> Floats:
    """Quantise each row, or each group of neighbours in it, on a grid of its own.

    Parameters
    ----------
    values : (R, K) float
    bits : int
        2 to 8.
    clip : float
        What share of the largest magnitude the grid reaches.
    group : int, optional
        How many neighbours share a scale; the last group may be shorter. All of K by default.
    asymmetric : bool
        Whether the grid has a zero point. As in QuaRot's published code, the grid of a whole row
        reaches to zero at least, that of a group need not.

    Returns
    -------
    (R, K) float
    """
    require_bits("bits", bits)
    size = values.shape[1] if group is None else group
    if size < 1:
        raise InputError(f"a group must have at least 1 value, got {size}")
    parts = [values[:, at : at + size] for at in range(0, values.shape[1], size)]
    if asymmetric:
        rounded = [to_shifted_grid(p, bits, clip, with_zero=group is None) for p in parts]
    else:
        rounded = [to_grid(p, largest_scale(p, bits, clip), bits) for p in parts]
    return np.concatenate(rounded, axis=1)
