"""The quantised linear layer: its parameters, its exact result, and a float64 reference.

``forward`` is the specification of every engine: y = FP16(s_a * s_w * (main + compensation) +
bias) with both sums exact integers, and the scaling as :mod:`golden.exact.output_scaling` has it.
A token may bring a factor along, by which s_a is multiplied for its outputs alone. (Paper
sections on index-based MatMul, look-ahead and error compensation; arXiv 2507.23035.)
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from golden.exact import fp16
from golden.exact.clustering import cluster, thresholds
from golden.exact.codebook import check_codebook, from_grid
from golden.exact.fp16 import BitArray
from golden.exact.grid import GRID, grid_index, made_rows
from golden.exact.levels import Levels
from golden.exact.main_sums import main_sums
from golden.exact.outliers import repeated, select_outliers
from golden.exact.output_scaling import scale_sums
from golden.exact.residual import ratio, residual_rows
from golden.exact.spec import A_FRACTION_BITS, CENTROID_BITS, IntArray, NumberSpec
from golden.exact.token_scale import Scale, ScaleFactor, times_factor, token_scale

W_EXPONENT_RANGE = range(-64, 64)
FACTOR_MAX = 2  # a sum is below 2**30, so no token scale reaches 2**31


@dataclass(frozen=True, kw_only=True)
class QuantizedLinear:
    """All constants of one layer, as integers.

    Parameters
    ----------
    spec : NumberSpec
        Widths.
    a_centroids : (2**n_A,) int64
        Activation codebook, ascending, in units of 2**-10 token scales; n_A from 2 to 5, or
        :data:`golden.exact.grid.GRID` where rows are made.
    w_centroids : (2**n_W,) int64
        Weight codebook, ascending, in units of ``2**-spec.w_fraction_bits``; n_W from 2 to 4.
    product_table : (2**n_A, 2**n_W) int64
        The rows of all activations, about ``C_A[i] * C_W[j]``, rounded; magnitudes up to
        ``spec.entry_max``. Those of :func:`golden.exact.grid.made_rows` where they are made.
    w_index : (K, N) uint8
        Weight indices into ``w_centroids``.
    w_scale : Scale
        (N,) scales of the output channels; they carry the table's unit.
    bias : (N,) uint16
        FP16 patterns, finite.
    k_top : int
        Outliers kept on each side of a token, 0 to K.
    factor : ScaleFactor
        Turns the sum of absolute activations into the token scale.
    offset : (N,) float64
        Which part of the bias makes good what the table's rounding adds in the mean. No engine
        needs it; :func:`reference` leaves it out.
    levels : Levels, optional
        What activations on the grid are snapped to; where rows are made alone.
    """

    spec: NumberSpec
    a_centroids: IntArray
    w_centroids: IntArray
    product_table: IntArray
    w_index: npt.NDArray[np.uint8]
    w_scale: Scale
    bias: BitArray
    k_top: int
    factor: ScaleFactor
    offset: npt.NDArray[np.float64] | float = 0.0
    levels: Levels | None = None

    def __post_init__(self) -> None:
        self._check_form()
        shape = (len(self.a_centroids), len(self.w_centroids))
        if self.product_table.shape != shape:
            raise ValueError(
                f"product_table must have shape {shape}, got {self.product_table.shape}"
            )
        if np.abs(self.product_table).max() > self.spec.entry_max:
            raise ValueError(f"product_table entries must be within ±{self.spec.entry_max}")
        if self.spec.symmetric and not (
            np.array_equal(self.product_table, -self.product_table[::-1])
            and np.array_equal(self.product_table, -self.product_table[:, ::-1])
        ):
            raise ValueError("product_table must change sign with each index when symmetric")
        if self.w_index.ndim != 2 or not self.w_index.size:
            raise ValueError(f"w_index must have shape (K, N), got {self.w_index.shape}")
        if self.w_index.max() >= len(self.w_centroids):
            raise ValueError(f"w_index must be below {len(self.w_centroids)}")
        if self.w_scale.mantissa.shape != (self.outputs,) or self.bias.shape != (self.outputs,):
            raise ValueError(f"w_scale and bias must have shape ({self.outputs},)")
        exponents = self.w_scale.exponent
        if exponents.min() < W_EXPONENT_RANGE.start or exponents.max() >= W_EXPONENT_RANGE.stop:
            raise ValueError("w_scale exponents must be from -64 to 63")
        if not fp16.is_finite(self.bias).all():
            raise ValueError("bias must be finite")
        if not 0 <= self.k_top <= self.inputs:
            raise ValueError(f"k_top must be from 0 to K = {self.inputs}, got {self.k_top}")
        self._check_outliers()

    def _check_form(self) -> None:
        """Raise ValueError if a codebook is not as the form of the rows asks for."""
        spec = self.spec
        check_codebook("w_centroids", self.w_centroids, 4, spec.w_centroid_bits, spec.symmetric)
        if not spec.made:
            bits = spec.activation_bits
            check_codebook("a_centroids", self.a_centroids, bits, CENTROID_BITS - 1, spec.symmetric)
        elif not np.array_equal(self.a_centroids, GRID):
            raise ValueError("a_centroids must be the grid where rows are made")
        elif not np.array_equal(self.product_table, made_rows(self.w_centroids)):
            raise ValueError("product_table must have the products where rows are made")
        if self.levels and not spec.made:
            raise ValueError("levels are steps of the grid: rows must be made")

    def _check_outliers(self) -> None:
        """Raise ValueError if the outliers of some token could exceed their row's digits."""
        a_max, w_max = (np.abs(book).max() for book in (self.a_codebook(), self.w_codebook()))
        ratio_max = self.factor.ratio_max()
        if self.factor.value() > FACTOR_MAX:
            raise ValueError(f"factor must be at most {FACTOR_MAX}, got {self.factor.value():g}")
        if a_max * w_max > 2 * (self.spec.entry_max + 1):
            raise ValueError("the largest product of centroids is more than twice a row's entry")
        if ratio_max >= self.spec.ratio_max(self.inputs):
            raise ValueError(f"{self.factor} is too small for {self.inputs} inputs")
        largest = (ratio_max + a_max) * w_max + 1
        if self.k_top and largest > self.spec.residual_max(self.inputs):
            raise ValueError(
                f"a token's only activation would have a row of up to {largest:.0f};"
                f" {self.spec.residual_max(self.inputs)} fit: the weight codebook is too large"
            )

    @property
    def activation_bits(self) -> int:
        """Bits that tell all activations apart, n_A."""
        count = 2 * len(self.levels.value) if self.levels else len(self.a_centroids)
        return (count - 1).bit_length()

    @property
    def inputs(self) -> int:
        """K."""
        return self.w_index.shape[0]

    @property
    def outputs(self) -> int:
        """N."""
        return self.w_index.shape[1]

    def a_codebook(self) -> npt.NDArray[np.float64]:
        """Return the activation codebook in token scales."""
        return from_grid(self.a_centroids, A_FRACTION_BITS)

    def w_codebook(self) -> npt.NDArray[np.float64]:
        """Return the weight codebook in channel scales."""
        return from_grid(self.w_centroids, self.spec.w_fraction_bits)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What the layer makes of T tokens, and what it went through on the way.

    Parameters
    ----------
    y : (T, N) uint16
        Outputs, FP16 patterns.
    a_scale : Scale
        (T,)
    a_index : (T, K) int64
        Index of every activation's centroid, outliers included.
    outlier_index : (T, 2 * k_top) int64
        As :func:`golden.exact.outliers.select_outliers` returns it.
    sums : (T, N) int64
        Main sum and compensation together, in table units.
    nonfinite, overflow : (T,) bool
        Whether the token had a NaN or infinity, an infinite output.
    """

    y: BitArray
    a_scale: Scale
    a_index: IntArray
    outlier_index: IntArray
    sums: IntArray
    nonfinite: npt.NDArray[np.bool_] = field(repr=False)
    overflow: npt.NDArray[np.bool_] = field(repr=False)


def forward(layer: QuantizedLinear, x: BitArray, factor: Scale | None = None) -> Result:
    """Compute the layer exactly as the engines do.

    Parameters
    ----------
    layer : QuantizedLinear
        Its constants.
    x : (T, K) uint16
        FP16 activations. NaN and infinity count as zero and are reported.
    factor : Scale, optional
        (T,) factors of the outputs, but for the bias: a norm's 1 / rms, a softmax's 1 / sum. They
        multiply the token scale where outputs are scaled, and nowhere else; 1 by default.

    Returns
    -------
    Result

    Raises
    ------
    ValueError
        If ``x`` or ``factor`` has another shape, or a factor is out of its range.
    """
    if x.ndim != 2 or x.shape[1] != layer.inputs:
        raise ValueError(f"x must have shape (T, {layer.inputs}), got {x.shape}")
    finite = fp16.flush_nonfinite(x)
    scale = token_scale(finite, layer.factor)
    outliers = select_outliers(fp16.key(finite), layer.k_top)
    index, sums, y = look_up(layer, finite, scale, outliers, factor)
    return Result(
        y=y,
        a_scale=scale,
        a_index=index,
        outlier_index=outliers,
        sums=sums,
        nonfinite=np.asarray(~fp16.is_finite(x).all(axis=1)),
        overflow=np.asarray(~fp16.is_finite(y).all(axis=1)),
    )


def look_up(
    layer: QuantizedLinear, x: BitArray, scale: Scale, outliers: IntArray, factor: Scale | None
) -> tuple[IntArray, IntArray, BitArray]:
    """Return indices, sums and outputs of finite tokens whose scales and outliers are known."""
    index = activation_index(x, scale, layer.a_centroids, made=layer.spec.made, levels=layer.levels)
    rows = outlier_rows(layer, x, scale, index, outliers)
    sums = main_sums(layer.product_table, index, layer.w_index) + _compensation(
        layer, rows, outliers
    )
    scaled = scale if factor is None else times_factor(scale, factor)
    of_token = Scale(scaled.mantissa[:, None], scaled.exponent[:, None])
    return index, sums, scale_sums(sums, of_token, layer.w_scale, layer.bias)


def activation_index(
    x: BitArray, scale: Scale, centroids: IntArray, *, made: bool, levels: Levels | None = None
) -> IntArray:
    """Return the index (T, K) of finite activations: of the grid or its levels for made rows."""
    if made:
        return levels.snapped(grid_index(x, scale)) if levels else grid_index(x, scale)
    return cluster(fp16.key(x), thresholds(scale, centroids))


def outlier_rows(
    layer: QuantizedLinear, x: BitArray, scale: Scale, index: IntArray, outliers: IntArray
) -> IntArray:
    """Return the residual rows (T, 2 k_top, 2**n_W) of the outliers.

    A position that stands on both sides gets its row once and a row of zeros the second time.
    """
    quotient = ratio(np.take_along_axis(x, outliers, axis=1), scale)
    centroid = layer.a_centroids[np.take_along_axis(index, outliers, axis=1)]
    residual = np.where(repeated(outliers), 0, quotient - centroid)
    return residual_rows(layer.spec, residual, layer.w_centroids)


def reference(layer: QuantizedLinear, x: BitArray, result: Result) -> npt.NDArray[np.float64]:
    """Evaluate the same quantised layer in float64: real centroids, products and residuals.

    Parameters
    ----------
    layer : QuantizedLinear
        Its constants; the product table is not used.
    x : (T, K) uint16
        Finite activations.
    result : Result
        Says scales, indices and outliers.

    Returns
    -------
    (T, N) float64
    """
    a_hat = layer.a_codebook()[result.a_index]
    scale = result.a_scale.value()[:, None]
    exact = x.view(np.float16).astype(np.float64) / scale
    np.put_along_axis(
        a_hat,
        result.outlier_index,
        np.take_along_axis(exact, result.outlier_index, axis=1),
        axis=1,
    )
    weights = layer.w_codebook()[layer.w_index] * layer.w_scale.value()
    return scale * (a_hat @ weights) + layer.bias.view(np.float16) - layer.offset


def _compensation(layer: QuantizedLinear, rows: IntArray, outliers: IntArray) -> IntArray:
    """Return the sums of R_i[w[i, n]] over the outliers i."""
    sums = np.zeros((len(rows), layer.outputs), np.int64)
    for i in range(outliers.shape[1]):
        sums += np.take_along_axis(rows[:, i], layer.w_index[outliers[:, i]].astype(np.int64), 1)
    return sums
