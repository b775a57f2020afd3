"""FP16 numbers at which blocks go wrong."""

import numpy as np

from golden.exact.fp16 import INFINITY, MAX_FINITE, BitArray
from golden.exact.spec import IntArray

SIGN = 0x8000
NAN = 0x7E00
MAGNITUDES = (
    0,
    1,  # the smallest subnormal
    0x3FF,  # the largest
    0x400,  # the smallest normal number
    0x401,
    0x3BFF,  # just below 1
    0x3C00,
    0x3C01,
    0x7800,
    MAX_FINITE,
)
FINITE = np.array([m | s for m in MAGNITUDES for s in (0, SIGN)], np.uint16)
NONFINITE = np.array(
    [m | s for m in (INFINITY, INFINITY + 1, NAN, 0x7FFF) for s in (0, SIGN)], np.uint16
)


def finite(rng: np.random.Generator, shape: tuple[int, ...]) -> BitArray:
    """Return finite patterns: most of the sizes that activations have, some of any size, corners.

    Equal values are frequent.
    """
    usual = np.float16(rng.normal(size=shape)).view(np.uint16)
    anything = (rng.integers(0, MAX_FINITE + 1, shape) | rng.integers(2, size=shape) * SIGN).astype(
        np.uint16
    )
    kind = rng.random(shape)
    result = np.where(kind < 0.5, usual, anything)
    return np.where(kind > 0.7, rng.choice(FINITE, shape), result)


def clean(bits: BitArray) -> BitArray:
    """Turn -0 into +0, as the engine's first stage does."""
    return np.where(bits == SIGN, np.uint16(0), bits)


def from_key(keys: IntArray) -> BitArray:
    """Return the finite patterns, without -0, that have these keys; clipped to finite ones."""
    kept = np.clip(keys, -MAX_FINITE, MAX_FINITE)
    return np.where(kept < 0, SIGN - kept, kept).astype(np.uint16)
