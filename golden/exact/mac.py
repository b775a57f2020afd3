"""What the baseline arrays compute: sums of products, by tile and beat."""

import numpy as np

from golden.exact.fp16 import BitArray
from golden.exact.fp16_arithmetic import add, from_integer, fused_multiply_add, multiply
from golden.exact.spec import IntArray

GROUP = 128  # input channels that share a scale, as published methods have it
MINUS_ZERO = 0x8000  # the one number that changes nothing when it is added


def integer_sums(activations: IntArray, weights: IntArray) -> IntArray:
    """Return the exact sum of products of each output channel.

    Parameters
    ----------
    activations : (K,) int
    weights : (K, N) int

    Returns
    -------
    (N,) int64
    """
    return np.asarray(activations, np.int64) @ np.asarray(weights, np.int64)


def half_odd(codes: IntArray, magnitudes: IntArray) -> IntArray:
    """Return twice the centroids of codes: an odd number each.

    Centroids lie between integers, so that a negative one is the complement of a positive one.

    Parameters
    ----------
    codes : (...,) int
        Bit 3 is the sign, bits 0 to 2 the number of a magnitude.
    magnitudes : (8,) int
        Centroids, rounded down.
    """
    value = 2 * np.asarray(magnitudes, np.int64)[codes & 7] + 1
    return np.where(codes & 8, -value, value)


def fp16_sums(activations: BitArray, weights: BitArray, inputs_per_beat: int) -> BitArray:
    """Return the sum of products in FP16, every product and every sum rounded.

    In the array's order: within a beat, neighbours are added in pairs, then pairs of pairs, and
    so on; beats one after another.

    Parameters
    ----------
    activations : (K,) uint16
        FP16 patterns; K is a multiple of ``inputs_per_beat``.
    weights : (K, N) uint16
    inputs_per_beat : int
        A power of two.

    Returns
    -------
    (N,) uint16
    """
    total = np.full(weights.shape[1], MINUS_ZERO, np.uint16)
    for start in range(0, len(activations), inputs_per_beat):
        beat = slice(start, start + inputs_per_beat)
        terms = multiply(
            np.broadcast_to(activations[beat, None], weights[beat].shape), weights[beat]
        )
        while len(terms) > 1:
            terms = add(terms[::2], terms[1::2])
        total = add(total, terms[0])
    return total


def group_scaled_sums(
    sums: IntArray, activation_scales: BitArray, weight_scales: BitArray
) -> BitArray:
    """Return the FP16 outputs of a layer quantised in groups.

    A group's sum is converted to FP16 and multiplied by its weights' scale; that times the
    activations' scale is added to the groups before in one step.

    Parameters
    ----------
    sums : (G, N) int
        Exact sum of each group of input channels.
    activation_scales : (G,) uint16
        FP16 patterns.
    weight_scales : (G, N) uint16

    Returns
    -------
    (N,) uint16
    """
    total = np.full(sums.shape[1], MINUS_ZERO, np.uint16)
    products = multiply(from_integer(sums), weight_scales)
    for product, scale in zip(products, activation_scales, strict=True):
        total = fused_multiply_add(product, np.full_like(product, scale), total)
    return total
