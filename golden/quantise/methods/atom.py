"""Atom: small groups, and the loudest input channels kept in 8 bits.

After Zhao et al., "Atom: Low-bit Quantization for Efficient and Accurate LLM Serving"
(arXiv 2310.19102) and its published code: input channels are reordered so that those with the
largest calibration energy come last; these are 8-bit integers, the others have the wanted bits.
Symmetric grids in groups of 128, for weights and, dynamically, for each token; clipped at 0.85
(weights) and 0.9 (activations) of the largest magnitude, outliers not at all; weights by GPTQ (or
to nearest), outliers last. The code's GPTQ makes its steps 2 / (2**b - 1) of the clipped magnitude,
so that the grid's lowest point lies beyond; rounding to nearest makes them 1 / (2**(b-1) - 1).
"""

from functools import partial

import numpy as np

from golden.base.errors import InputError
from golden.exact.mac import GROUP
from golden.quantise.methods.gptq import Group, gptq, groups_of, nearest
from golden.quantise.methods.grid import Floats, largest_scale, quantize_rows, require_bits
from golden.quantise.methods.layer import Array, FakeQuantized

OUTLIER_CHANNELS = 128
OUTLIER_BITS = 8
ACTIVATION_CLIP = 0.9
WEIGHT_CLIP = 0.85
# The paper's 128 of LLaMA-7B's 4096 channels.
SHARE = OUTLIER_CHANNELS / 4096


def shared_outliers(inputs: int) -> int:
    """Return how many channels are the same share as the paper's 128 of 4096, at least 1."""
    return max(1, round(SHARE * inputs))


def prepare_atom(
    weight: Array,
    bias: Array,
    calibration: Array,
    *,
    bits_w: int,
    bits_a: int,
    seed: int,
    outliers: int | None = None,
    feed_back: bool = True,
) -> FakeQuantized:
    """Return the quantised layer.

    ``outliers`` is the number of channels kept in 8 bits, by default the paper's share; where it
    leaves no other, half of the channels are. ``feed_back`` chooses between GPTQ and rounding to
    nearest.

    Raises
    ------
    InputError
        If a number of bits or of channels is out of range.
    """
    del seed
    for name, bits in (("bits_w", bits_w), ("bits_a", bits_a)):
        require_bits(name, bits)
    inputs = len(weight)
    kept = shared_outliers(inputs) if outliers is None else outliers
    if kept < 0:
        raise InputError(f"the number of outlier channels must be 0 or more, got {kept}")
    kept = min(kept, inputs // 2)
    order = np.argsort((calibration.astype(np.float64) ** 2).sum(axis=0), kind="stable")
    groups = groups_of(inputs - kept, bits_w, GROUP)
    groups += [
        Group(at, min(at + GROUP, inputs), OUTLIER_BITS)
        for at in range(inputs - kept, inputs, GROUP)
    ]
    rows = weight.T[:, order]
    if feed_back:
        quantised = gptq(rows, calibration[:, order], groups, _feed_back_scale)
    else:
        quantised = nearest(rows, groups, _nearest_scale)
    activation = partial(_reordered, order=order, kept=kept, bits=bits_a)
    return FakeQuantized(quantised.astype(np.float32), bias, activation)


def _nearest_scale(weights: Floats, bits: int) -> Floats:
    return largest_scale(weights, bits, 1 if bits == OUTLIER_BITS else WEIGHT_CLIP)


def _feed_back_scale(weights: Floats, bits: int) -> Floats:
    scale = _nearest_scale(weights, bits)
    if bits == OUTLIER_BITS:
        return scale
    return scale * (((1 << (bits - 1)) - 1) * 2 / ((1 << bits) - 1))


def _reordered(x: Array, order: np.ndarray, kept: int, bits: int) -> Floats:
    """Return the tokens in Atom's order: all but the last ``kept`` channels, then those."""
    x = x[:, order]
    split = x.shape[1] - kept
    parts = [quantize_rows(x[:, :split], bits, clip=ACTIVATION_CLIP, group=GROUP)]
    if kept:
        parts.append(quantize_rows(x[:, split:], OUTLIER_BITS, group=GROUP))
    return np.concatenate(parts, axis=1)
