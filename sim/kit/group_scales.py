"""Scales of groups, and the outputs that golden makes of them."""

from typing import Any

import numpy as np

from golden.exact.fp16 import to_bits
from golden.exact.mac import group_scaled_sums
from sim.kit.fp16_operands import patterns


def random_scales(
    rng: np.random.Generator, sums: np.ndarray, *, any_pattern: bool = False
) -> tuple[list[dict[str, Any]], list[int]]:
    """Return random scales of one tile's groups as a stream has them, and the tile's outputs.

    Parameters
    ----------
    rng : numpy.random.Generator
    sums : (G, N) int
        Of each group.
    any_pattern : bool
        Infinities, NaN and negative numbers, too.
    """
    groups = len(sums)
    if any_pattern:
        weights = patterns(rng, sums.size).reshape(sums.shape)
        activations = patterns(rng, groups)
    else:
        weights = to_bits(rng.lognormal(-4, 1, sums.shape))
        activations = to_bits(rng.lognormal(0, 1, groups))
    scales = [
        {
            "activation": int(activations[group]),
            "weights": weights[group].tolist(),
            "first": int(group == 0),
            "last": int(group == groups - 1),
        }
        for group in range(groups)
    ]
    return scales, group_scaled_sums(sums, activations, weights).tolist()
