"""What the vector unit computes: element by element in FP16, and sums over vectors, exactly.

Each operation rounds as often as it says, to FP16, to nearest, ties to even
(:mod:`golden.exact.fp16_arithmetic`). Vectors are the last axis.
"""

import numpy as np

from golden.exact.fp16 import BitArray, flush_nonfinite, key, units
from golden.exact.fp16_arithmetic import SIGN, add, multiply
from golden.exact.functions import exp, sigmoid
from golden.exact.spec import IntArray


def rotate(x: BitArray, turns: BitArray) -> BitArray:
    """Turn each pair of neighbours (x[2i], x[2i + 1]) by an angle; two products, a sum.

    Parameters
    ----------
    x : (..., d) uint16
    turns : (..., d) uint16
        Cosine and sine of each pair's angle, one after the other.
    """
    cosine, sine = (np.repeat(turns[..., n::2], 2, axis=-1) for n in (0, 1))
    partner = x.reshape(*x.shape[:-1], -1, 2)[..., ::-1].reshape(x.shape)
    crossed = multiply(partner, sine)
    crossed[..., 0::2] ^= np.uint16(SIGN)
    return add(multiply(x, cosine), crossed)


def gate(x: BitArray, up: BitArray) -> BitArray:
    """Return (x * up) * sigmoid(x): SwiGLU's product, rounded after each step."""
    return multiply(multiply(x, up), sigmoid(x))


def largest(x: BitArray) -> BitArray:
    """Return the largest of each vector; what is not finite counts as zero, and -0 is +0."""
    finite = flush_nonfinite(x)
    keys = key(finite).max(axis=-1)
    return np.where(keys < 0, SIGN | -keys, keys).astype(np.uint16)


def powers(x: BitArray, most: BitArray, times: BitArray) -> tuple[BitArray, IntArray]:
    """Return exp(x - most) * times, and the sum of the powers before the product.

    Parameters
    ----------
    x : (..., n) uint16
    most : (...,) uint16
        The largest of x, so that powers are from 0 to 1.
    times : (..., n) uint16

    Returns
    -------
    products : (..., n) uint16
    total : (...,) int64
        In units of 2**-24, exact.
    """
    negated = np.asarray(most ^ np.uint16(SIGN))[..., None]
    found = exp(add(flush_nonfinite(x), np.broadcast_to(negated, x.shape)))
    return multiply(found, times), units(found).sum(axis=-1)


def first_largest(x: BitArray) -> IntArray:
    """Return where each vector is largest, the first of equals; not finite counts as zero."""
    return key(flush_nonfinite(x)).argmax(axis=-1)
