"""Round to nearest, and no quantisation at all."""

from functools import partial

import numpy as np

from golden.quantise.methods.grid import quantize_rows
from golden.quantise.methods.layer import Array, FakeQuantized


def prepare_fp16(
    weight: Array, bias: Array, calibration: Array, *, bits_w: int, bits_a: int, seed: int
) -> FakeQuantized:
    """Return the layer with weights and activations rounded to FP16 alone."""
    del calibration, bits_w, bits_a, seed
    return FakeQuantized(to_half(weight.T), bias, to_half)


def prepare_rtn(
    weight: Array,
    bias: Array,
    calibration: Array,
    *,
    bits_w: int,
    bits_a: int,
    seed: int,
    group: int | None = None,
    asymmetric: bool = False,
) -> FakeQuantized:
    """Return the layer rounded to nearest, dynamically per token.

    A scale for each token and each output channel, or with ``group`` for that many input channels
    of either. Weights are symmetric; activations have a zero point if ``asymmetric``. Nothing is
    calibrated and nothing is random.
    """
    del calibration, seed
    rounded = quantize_rows(weight.T, bits_w, group=group)
    activation = partial(quantize_rows, bits=bits_a, group=group, asymmetric=asymmetric)
    return FakeQuantized(rounded.astype(np.float32), bias, activation)


def to_half(x: Array) -> Array:
    """Return values rounded to FP16."""
    return x.astype(np.float16).astype(np.float32)
