"""The product table: integers near ``C_A[i] * C_W[j]``."""

import numpy as np

from golden.spec import A_FRACTION_BITS, IntArray, NumberSpec


def product_table(spec: NumberSpec, a_centroids: IntArray, w_centroids: IntArray) -> IntArray:
    """Return the products of the centroids, rounded to integers, halves to even, and clipped.

    Parameters
    ----------
    spec : NumberSpec
        Says the units and the largest entry.
    a_centroids : (2**n_A,) int64
        In units of 2**-10.
    w_centroids : (2**n_W,) int64
        In units of ``2**-spec.w_fraction_bits``.

    Returns
    -------
    (2**n_A, 2**n_W) int64
    """
    exact = np.outer(a_centroids, w_centroids).astype(np.float64)
    rounded = np.rint(np.ldexp(exact, -A_FRACTION_BITS - spec.w_fraction_bits)).astype(np.int64)
    return np.clip(rounded, -spec.entry_max, spec.entry_max)
