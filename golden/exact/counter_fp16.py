"""The paper's counter engine in its own arithmetic: FP16 from the product table on, exactly.

As in the KLLM paper (arXiv 2507.23035): the pairs of an activation and a weight index are counted,
each count is multiplied with its entry of an FP16 product table, and an FP16 tree adds up; beside
it, outliers are compensated by FP16 multiply-adds with dequantised weights. In FP16 the order of
every operation matters. It is fixed here, by :func:`main_sums`, :func:`compensation` and
:func:`combine`; indices, outliers and token scales are those of :mod:`golden.exact.linear`.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from golden.exact import fp16
from golden.exact.codebook import from_grid
from golden.exact.fp16 import BitArray
from golden.exact.fp16_arithmetic import SIGN, add, from_integer, fused_multiply_add, multiply
from golden.exact.linear import QuantizedLinear, Result
from golden.exact.mapping import index_code
from golden.exact.outliers import repeated
from golden.exact.spec import A_FRACTION_BITS, IntArray

CODES = 16
BINS = CODES * CODES
ZERO = np.uint16(0)


@dataclass(frozen=True, kw_only=True)
class Fp16Linear:
    """All constants of one layer that take part in FP16 arithmetic: patterns, by 4-bit codes.

    Parameters
    ----------
    a_codebook : (16,) uint16
        Activation centroids in token scales; zero for codes that stand for none.
    w_codebook : (16,) uint16
        Weight centroids; the largest magnitude is from 1 to below 2, as far as FP16 can tell.
    product_table : (16, 16) uint16
        FP16(C_A[i] * C_W[j]), rounded once.
    w_code : (K, N) uint8
        Codes of the weights, as :func:`golden.exact.mapping.index_code` makes them.
    w_scale : (N,) uint16
        Scales of the output channels.
    bias : (N,) uint16
    """

    a_codebook: BitArray
    w_codebook: BitArray
    product_table: BitArray
    w_code: npt.NDArray[np.uint8]
    w_scale: BitArray
    bias: BitArray


def fp16_linear(layer: QuantizedLinear) -> Fp16Linear:
    """Return a quantised layer's constants rounded to FP16, each once.

    Codebooks keep their values but for a power of two, which goes from the weight codebook to the
    scales: products then lie where FP16 has most room. What that makes too large is infinite. The
    part of the bias that makes good the integer table's rounding is taken out again.
    """
    symmetric = layer.spec.symmetric
    length = int(np.abs(layer.w_centroids).max()).bit_length()
    unit = max(length - 1, 0)
    a = _by_code(layer.a_centroids, A_FRACTION_BITS, symmetric)
    w = _by_code(layer.w_centroids, unit, symmetric)
    index = layer.w_index.astype(np.int64)
    code = index_code(index, len(layer.w_centroids), symmetric=symmetric)
    scale = np.ldexp(layer.w_scale.value(), unit - layer.spec.w_fraction_bits)
    return Fp16Linear(
        a_codebook=fp16.to_bits(a),
        w_codebook=fp16.to_bits(w),
        product_table=fp16.to_bits(np.outer(a, w) + 0.0),  # a product of -0 is +0 here
        w_code=code.astype(np.uint8),
        w_scale=fp16.to_bits(scale),
        bias=fp16.to_bits(layer.bias.view(np.float16).astype(np.float64) - layer.offset),
    )


@dataclass(frozen=True, kw_only=True)
class Fp16Result:
    """What the FP16 arithmetic makes of T tokens.

    Parameters
    ----------
    y : (T, N) uint16
        Outputs; where a sum overflowed, infinity or NaN.
    main : (T, N) uint16
        Sums of the table's entries, before they are scaled.
    compensation : (T, N) uint16
        What the outliers add.
    overflow : (T,) bool
        Whether the token has an output that is not finite.
    """

    y: BitArray
    main: BitArray
    compensation: BitArray
    overflow: npt.NDArray[np.bool_] = field(repr=False)


def forward(layer: QuantizedLinear, x: BitArray, integers: Result) -> Fp16Result:
    """Compute the layer as the FP16 counter engine does.

    Parameters
    ----------
    layer : QuantizedLinear
        Its constants; the integer product table is not used.
    x : (T, K) uint16
        FP16 activations. NaN and infinity count as zero.
    integers : Result
        Of :func:`golden.exact.linear.forward`: indices, outliers and token scales.

    Returns
    -------
    Fp16Result
    """
    model = fp16_linear(layer)
    scale = fp16.to_bits(integers.a_scale.value())[:, None]
    code = index_code(integers.a_index, len(layer.a_centroids), symmetric=layer.spec.symmetric)
    main = np.empty(integers.y.shape, np.uint16)
    for token, row in enumerate(code):
        main[token] = main_sums(pair_counts(row, model.w_code), model.product_table)

    outliers = integers.outlier_index
    errors = error_units(
        np.take_along_axis(fp16.flush_nonfinite(x), outliers, axis=1),
        scale,
        model.a_codebook[np.take_along_axis(code, outliers, axis=1)],
        live=~repeated(outliers),
    )
    weights = dequantised(model.w_codebook[model.w_code[outliers]], model.w_scale)
    compensated = compensation(errors, weights)
    y = combine(main, scale, model.w_scale, compensated, model.bias)
    return Fp16Result(
        y=y,
        main=main,
        compensation=compensated,
        overflow=np.asarray(~fp16.is_finite(y).all(axis=1)),
    )


def pair_counts(a_code: IntArray, w_code: npt.NDArray[np.uint8]) -> IntArray:
    """Count, for each output channel, how often each pair of codes occurs.

    Parameters
    ----------
    a_code : (K,) int64
        A token's codes, 0 to 15.
    w_code : (K, N) uint8
        Weights' codes, 0 to 15.

    Returns
    -------
    (N, 256) int64
        Bin ``16 * a + w``: the concatenated codes.
    """
    outputs = w_code.shape[1]
    bins = CODES * a_code[:, None] + w_code + BINS * np.arange(outputs)
    return np.bincount(bins.ravel(), minlength=BINS * outputs).reshape(outputs, BINS)


def main_sums(counts: IntArray, product_table: BitArray) -> BitArray:
    """Return the sums of count times product, in FP16.

    Each count is rounded to FP16 and multiplied with its entry. Then neighbours are added, bin 2n
    and bin 2n + 1, and neighbours among those sums, and so on: a balanced tree over all 256 bins.
    Hardware that takes 32 of them at a time does the upper levels of the same tree one after
    another, so that the result does not depend on how many it takes.

    Parameters
    ----------
    counts : (..., 256) int64
        0 to 2**14.
    product_table : (16, 16) uint16

    Returns
    -------
    (...) uint16
    """
    terms = multiply(from_integer(counts), product_table.ravel())
    while terms.shape[-1] > 1:
        terms = add(terms[..., 0::2], terms[..., 1::2])
    return terms[..., 0]


def error_units(
    x: BitArray, scale: BitArray, centroid: BitArray, live: npt.NDArray[np.bool_]
) -> BitArray:
    """Return FP16(x - s_a * C_A[a]) of outliers, rounded once; +0 of those that are not live.

    Shapes broadcast; ``live`` is false for an outlier that stood on the other side already.
    """
    return np.where(live, fused_multiply_add(scale, centroid ^ np.uint16(SIGN), x), ZERO)


def dequantised(centroid: BitArray, w_scale: BitArray) -> BitArray:
    """Return weights: FP16(s_w[n] * C_W[w])."""
    return multiply(centroid, w_scale)


def compensation(errors: BitArray, weights: BitArray) -> BitArray:
    """Return what the outliers add: fused multiply-adds, one outlier after another, from +0.

    Parameters
    ----------
    errors : (T, n) uint16
        The largest in descending, then the smallest in ascending order.
    weights : (T, n, N) uint16
        Dequantised.

    Returns
    -------
    (T, N) uint16
    """
    total = np.zeros((weights.shape[0], weights.shape[2]), np.uint16)
    for outlier in range(weights.shape[1]):
        total = fused_multiply_add(errors[:, outlier, None], weights[:, outlier], total)
    return total


def combine(
    main: BitArray, scale: BitArray, w_scale: BitArray, compensated: BitArray, bias: BitArray
) -> BitArray:
    """Return ((main * s_a) * s_w + compensation) + bias, each operation rounded. Shapes broadcast.

    The token's scale comes first: it takes the sum to the size of activations, and both its
    factors stay far from FP16's ends where the product of the two scales may not.
    """
    return add(add(multiply(multiply(main, scale), w_scale), compensated), bias)


def _by_code(centroids: IntArray, fraction_bits: int, symmetric: bool) -> npt.NDArray[np.float64]:
    """Return a codebook's real values by code, zero where a code stands for no centroid."""
    index = np.arange(len(centroids))
    codes = index_code(index, len(centroids), symmetric=symmetric)
    values = np.zeros(CODES)
    values[codes] = from_grid(centroids, fraction_bits)
    return values
