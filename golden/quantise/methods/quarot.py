"""QuaRot: rotated inputs have no outliers, so one grid serves all channels.

After Ashkboos et al., "QuaRot: Outlier-Free 4-Bit Inference in Rotated LLMs" (arXiv 2404.00456) and
its published code: weights on a symmetric grid per output channel, its clipping searched for the
least error, by GPTQ (or to nearest); activations symmetric per token, clipped at 0.9 of the
largest. The paper's more exact form has groups of 128 for both (its 128G); its code has activations
with a zero point, too (``a_asym``), and both together are what it does best here. Here a layer
rotates its own inputs by a randomised Hadamard matrix; where the network allows it the matrix is
fused into the layers before and after (``golden/models/lm/equivalents.py``).
"""

from functools import partial
from typing import Any

import numpy as np

from golden.quantise.methods.gptq import gptq, groups_of, nearest
from golden.quantise.methods.grid import quantize_rows, require_bits, searched_scale
from golden.quantise.methods.hadamard import random_hadamard
from golden.quantise.methods.layer import Array, FakeQuantized

ACTIVATION_CLIP = 0.9


def prepare_rotated(
    weight: Array,
    bias: Array,
    calibration: Array,
    *,
    bits_w: int,
    bits_a: int,
    seed: int,
    feed_back: bool = True,
    asymmetric: bool = False,
    group: int | None = None,
) -> FakeQuantized:
    """Return the layer quantised as QuaRot does after its rotations; it rotates nothing itself.

    Parameters
    ----------
    weight, bias, calibration, bits_w, bits_a, seed
        As for :class:`golden.quantise.methods.layer.Prepare`.
    feed_back : bool
        Chooses between GPTQ and rounding to nearest.
    asymmetric : bool
        Whether activations have a zero point.
    group : int, optional
        Neighbouring inputs that share a scale, of weights and of activations; all by default.
    """
    del seed
    require_bits("bits_w", bits_w)
    groups = groups_of(len(weight), bits_w, group)
    if feed_back:
        quantised = gptq(weight.T, calibration, groups, searched_scale)
    else:
        quantised = nearest(weight.T, groups, searched_scale)
    activation = partial(
        quantize_rows, bits=bits_a, clip=ACTIVATION_CLIP, group=group, asymmetric=asymmetric
    )
    return FakeQuantized(quantised.astype(np.float32), bias, activation)


def prepare_quarot(
    weight: Array,
    bias: Array,
    calibration: Array,
    *,
    bits_w: int,
    bits_a: int,
    seed: int,
    **options: Any,
) -> FakeQuantized:
    """Return the quantised layer, which rotates its inputs itself; options as above."""
    matrix = random_hadamard(len(weight), seed).astype(np.float32)
    inner = prepare_rotated(
        matrix.T @ weight,
        bias,
        calibration @ matrix,
        bits_w=bits_w,
        bits_a=bits_a,
        seed=seed,
        **options,
    )
    return FakeQuantized(inner.weight, bias, lambda x: inner.activation(x @ matrix))
