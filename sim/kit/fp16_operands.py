"""Operands for FP16 units: any pattern, corners, and terms that nearly cancel."""

import itertools

import numpy as np

from golden.exact.fp16 import BitArray
from golden.exact.fp16_arithmetic import SIGN
from sim.kit.corners import FINITE, NONFINITE

CORNERS = np.concatenate([FINITE, NONFINITE])


def patterns(rng: np.random.Generator, count: int) -> BitArray:
    """Return patterns of every kind; a quarter are subnormal or have the smallest exponent."""
    bits = rng.integers(1 << 16, size=count)
    return np.where(rng.random(count) < 0.25, bits & 0x87FF, bits).astype(np.uint16)


def sparse(rng: np.random.Generator, count: int) -> BitArray:
    """Return patterns of any sign and exponent with few bits: sums and products are often ties."""
    fraction = rng.choice([0x000, 0x001, 0x200, 0x201, 0x300, 0x3FF], count)
    return (rng.integers(64, size=count) << 10 | fraction).astype(np.uint16)


def near(rng: np.random.Generator, bits: BitArray) -> BitArray:
    """Return patterns a few steps from ``bits``."""
    return (bits + rng.integers(-4, 5, bits.shape)).astype(np.uint16)


def negated(bits: BitArray) -> BitArray:
    """Return the patterns with the other sign."""
    return bits ^ np.uint16(SIGN)


def corner_pairs() -> tuple[BitArray, BitArray]:
    """Return every pair of corners."""
    first, second = np.meshgrid(CORNERS, CORNERS)
    return first.ravel(), second.ravel()


def corner_triples(rng: np.random.Generator, count: int) -> tuple[BitArray, BitArray, BitArray]:
    """Return ``count`` of the triples of corners, none twice."""
    triples = np.array(list(itertools.product(CORNERS, repeat=3)), np.uint16)
    a, b, c = rng.permutation(triples)[:count].T
    return a, b, c
