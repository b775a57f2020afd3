"""Clustering: each activation becomes the index of its nearest centroid."""

import numpy as np

from golden.exact.fp16 import floor_magnitude
from golden.exact.spec import A_FRACTION_BITS, IntArray
from golden.exact.token_scale import Scale


def thresholds(scale: Scale, centroids: IntArray) -> IntArray:
    """Return the cluster boundaries of each token as FP16 keys.

    A threshold is the smallest FP16 key not below ``s_a * boundary``. As activations are FP16
    themselves, comparing with it decides exactly as the real boundary would, and a value on the
    boundary goes to the upper cluster.

    Parameters
    ----------
    scale : Scale
        (T,) token scales.
    centroids : (2**n_A,) int64
        Sorted, in units of 2**-A_FRACTION_BITS.

    Returns
    -------
    (T, 2**n_A - 1) int64
        Keys from -31743 to 31744; 31744 (infinity) is above every activation.
    """
    boundary = (centroids[:-1] + centroids[1:])[None, :]  # twice, exactly
    magnitude = scale.mantissa[:, None] * np.abs(boundary)
    exponent = np.broadcast_to(scale.exponent[:, None] - A_FRACTION_BITS - 1, magnitude.shape)
    floor, exact = floor_magnitude(magnitude, exponent)
    return np.where(boundary < 0, -floor, floor + ~exact)


def cluster(keys: IntArray, bounds: IntArray) -> IntArray:
    """Return for each activation how many thresholds do not exceed it: its centroid's index.

    Parameters
    ----------
    keys : (T, K) int64
        FP16 keys of the activations.
    bounds : (T, 2**n_A - 1) int64
        From :func:`thresholds`.

    Returns
    -------
    (T, K) int64
    """
    index = np.zeros(keys.shape, np.int64)
    for column in range(bounds.shape[1]):
        index += keys >= bounds[:, column, None]
    return index
