"""From a layer's exact sums to its FP16 outputs: a short product with both scales, and the bias.

An FP16 number has 11 significant bits, so a sum of 32 need not be multiplied as it is. Sum,
product of the scales and their product are each cut to 15 bits, and of both multiplications the
lowest columns are left out. The bias is then added exactly and the result rounded once.
"""

import numpy as np

from golden.exact.fp16 import BitArray, round_scaled_sum
from golden.exact.spec import SCALE_BITS, IntArray, bit_length
from golden.exact.token_scale import Scale

KEPT = 15  # significant bits of a sum, of a product of scales, and of what these give, or 14
# Columns of the two multiplications that are left out, and what is added for all that is cut.
SCALE_CUT, SCALE_MADE_GOOD = 4, 0b11 << 4
SUM_CUT, SUM_MADE_GOOD = 12, 0b101 << 13


def scale_sums(sums: IntArray, token: Scale, channel: Scale, bias: BitArray) -> BitArray:
    """Return FP16(sum * s_a * s_w + bias): the product as :func:`scaled` has it, the rest exact.

    Parameters
    ----------
    sums : (...,) int64
        Magnitudes below 2**31.
    token, channel : Scale
        s_a and s_w, exponents from -64 to 63; shapes that broadcast to that of the sums.
    bias : (...,) uint16
        FP16 patterns, finite.

    Returns
    -------
    (...,) uint16
        To nearest, ties to even. Overflow gives infinity. An exact zero is +0.
    """
    product, exponent = scaled(sums, token, channel)
    return round_scaled_sum(product, exponent, np.broadcast_to(bias, sums.shape))


def scaled(sums: IntArray, token: Scale, channel: Scale) -> tuple[IntArray, IntArray]:
    """Return ``p`` and ``e`` with p * 2**e close to sum * s_a * s_w; |p| is below 2**15.

    It is off by less than a third of the last place of an FP16 number of its size (a normal one).
    Let powers of two be divided out, so that the sum's leading bits M and the product of the
    scales S are from 1 to 2, and M S is from 1 to 4; u = 2**-13 is the last place of p.

    - M is cut: less than 2**-14 is lost, so less than u S / 2 of the product.
    - Of S, columns are left out that make up to 3 * 2**4 + 1 = 49 units of 2**-20, up to 63 units
      are cut, and 48 are added: it is off by -64 to 48. Where s_a * s_w has a bit more in front,
      127 are cut, all units are half as large, and it is off by -64 to 24. The product is off by
      -u M / 2 to 3 u M / 8.
    - Of M S, columns are left out that make up to (11 * 2**12 + 1) / 2**15 u, less than u is cut,
      and 5 u / 4 are added: it is off by -9 u / 8 to 5 u / 4.

    Below 2, where FP16's last place is 8 u, M + S is below 3: together that is from -21 u / 8 to
    2 u, or -0.33 to 0.25 places. From 2 on it is 16 u, M + S is below 4, and together that is from
    -25 u / 8 to 2 u, or -0.20 to 0.13 places. Only where adding brings S up to 2 is M S below 2
    and u twice as large: M is then kept as 1, p is 2 + 2 u, and off by at most 19 u / 8, 0.30
    places. In the mean a hundredth of a place is left, and 0.04 places in root mean square where
    rounding leaves 0.29.

    So with the rounding to come a result is at most 5/6 of a place off. Where the bias cancels
    most of the product, it is a third of the product's last place that may be lost. A sum of zero
    gives zero.
    """
    kept, kept_exponent = _leading(sums)
    scale, scale_exponent = _scale_product(token, channel)
    made_good = np.where(kept > 0, SUM_MADE_GOOD, 0)
    product = (_cut_product(kept, scale, KEPT, SUM_CUT) + made_good) >> KEPT
    signed = np.asarray(np.where(sums < 0, -product, product), np.int64)
    return signed, kept_exponent + scale_exponent + KEPT


def _leading(sums: IntArray) -> tuple[IntArray, IntArray]:
    """Return the 15 leading bits of each magnitude, and the exponent of the last.

    A negative sum is turned over bit by bit, zeros behind it too, as if it had endlessly many: its
    magnitude is short of the true one by next to nothing.
    """
    long = sums << KEPT
    magnitude = np.asarray(np.where(sums < 0, ~long, long), np.int64)
    drop = np.maximum(bit_length(magnitude) - KEPT, 0)
    return magnitude >> drop, drop - KEPT


def _scale_product(token: Scale, channel: Scale) -> tuple[IntArray, IntArray]:
    """Return s_a * s_w in 15 significant bits, and the exponent of the last."""
    a, w = np.broadcast_arrays(token.mantissa, channel.mantissa)
    product = _cut_product(a, w, SCALE_BITS, SCALE_CUT) + SCALE_MADE_GOOD
    drop = 2 * SCALE_BITS - 1 - KEPT + (product >> (2 * SCALE_BITS - 1))
    return product >> drop, token.exponent + channel.exponent + drop


def _cut_product(a: IntArray, b: IntArray, bits: int, cut: int) -> IntArray:
    """Return a * b as the sum of a row for each of ``bits`` of b, their lowest columns left out."""
    total = np.zeros(np.broadcast_shapes(a.shape, b.shape), np.int64)
    for n in range(bits):
        total += (((b >> n) & 1) * (a << n)) >> cut
    return total << cut
