"""The grid of 8-bit activations, and the rows that are made of them.

Where a codebook has clusters, the grid has a division: an activation becomes the integer nearest
to its ratio to the token scale, in steps of 2**-4 scales. Rows are then products of integers, so
there is neither a product table nor anything to cluster.
"""

import numpy as np

from golden.exact.fp16 import BitArray, decode
from golden.exact.residual import reciprocal
from golden.exact.spec import (
    A_FRACTION_BITS,
    GRID_BITS,
    GRID_FRACTION_BITS,
    GRID_MAX,
    RECIPROCAL_SHIFT,
    IntArray,
    round_shift,
    round_shift_signed,
)
from golden.exact.token_scale import Scale

# Low bits of the reciprocal that a division by it does not use: 2**-11 of a value is lost at most.
RECIPROCAL_DROP = 5
# The grid as a codebook, in units of 2**-A_FRACTION_BITS.
GRID = np.arange(-GRID_MAX, GRID_MAX + 1) << (A_FRACTION_BITS - GRID_FRACTION_BITS)


def grid_index(bits: BitArray, scale: Scale) -> IntArray:
    """Return the index of each activation into :data:`GRID`.

    Parameters
    ----------
    bits : (T, K) uint16
        Finite FP16 activations.
    scale : Scale
        (T,) token scales.

    Returns
    -------
    (T, K) int64
        0 to 254; magnitudes are rounded to the nearest step, halves up, and end at 127 steps. The
        quotient itself is too small by up to 2**-11 of it, for the reciprocal is cut.
    """
    sign, mantissa, exponent = decode(bits)
    product = mantissa * (reciprocal(scale.mantissa) >> RECIPROCAL_DROP)[:, None]
    places = RECIPROCAL_SHIFT - RECIPROCAL_DROP - GRID_FRACTION_BITS
    shift = places - (exponent - scale.exponent[:, None])
    magnitude = np.minimum(round_shift(product, np.clip(shift, 1, 31)), GRID_MAX)
    return GRID_MAX + np.where(sign == 1, -magnitude, magnitude)


def made_rows(w_centroids: IntArray) -> IntArray:
    """Return the rows of all activations on the grid.

    Parameters
    ----------
    w_centroids : (2**n_W,) int64
        In units of 2**-3 table units.

    Returns
    -------
    (255, 2**n_W) int64
        In table units, rounded to the nearest, halves away from zero.
    """
    steps = np.arange(-GRID_MAX, GRID_MAX + 1)[:, None]
    return round_shift_signed(steps * w_centroids, GRID_BITS - 1)
