"""Codebooks, token scales and thresholds for benches, and how they stand on ports."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from golden.exact.clustering import thresholds
from golden.exact.fp16 import INFINITY, BitArray, floor_magnitude
from golden.exact.grid import GRID, RECIPROCAL_DROP
from golden.exact.mapping import sign_code, stored_centroids
from golden.exact.residual import reciprocal
from golden.exact.spec import A_FRACTION_BITS, CENTROID_BITS, MIN_SCALE_EXPONENT, IntArray
from golden.exact.token_scale import Scale
from hw.engine_spec import EngineSpec
from sim.kit.corners import FINITE, clean
from sim.kit.words import unpack

LARGEST = (1 << (CENTROID_BITS - 1)) - 1


def random_centroids(rng: np.random.Generator, size: int, *, symmetric: bool) -> IntArray:
    """Return a codebook: of usual size, or tiny with equal centroids, or with the largest."""
    spread = rng.choice([3, 40, 4096, LARGEST])
    count = size // 2 if symmetric else size
    values = np.sort(rng.integers(0 if symmetric else -spread, spread, count, endpoint=True))
    if spread == LARGEST:
        values[-1] = LARGEST
    return np.concatenate([-values[::-1], values]) if symmetric else values


def random_scales(rng: np.random.Generator, count: int) -> Iterator[Scale]:
    """Yield scales of one token each: the least, the largest, powers of two, random ones."""
    for n in range(count):
        mantissa = int(rng.choice(np.array([1024, 2047, rng.integers(1024, 2048)])))
        exponent = int(rng.integers(MIN_SCALE_EXPONENT, 6))
        if n < 2:
            mantissa, exponent = ((1024, MIN_SCALE_EXPONENT), (2047, 5))[n]
        yield Scale(np.array([mantissa]), np.array([exponent]))


def scale_word(scale: Scale, token: int = 0) -> dict[str, int]:
    """Return one token's scale as it stands on a port."""
    return {"mantissa": int(scale.mantissa[token]), "exponent": int(scale.exponent[token])}


def any_a_centroids(rng: np.random.Generator, spec: EngineSpec) -> IntArray:
    """Return an activation codebook that an engine takes: of any length, or the grid."""
    if spec.numbers.made:
        return GRID
    size = 1 << int(rng.integers(2, spec.code_bits, endpoint=True))
    return random_centroids(rng, size, symmetric=spec.numbers.symmetric)


def stored(centroids: IntArray, *, symmetric: bool, filler: int = 0, bits: int = 4) -> list[int]:
    """Return what an engine stores of a codebook, and ``filler`` for the entries not in use."""
    held = stored_centroids(centroids, symmetric=symmetric).tolist()
    return held + [filler] * ((1 << (bits - symmetric)) - len(held))


def weight_words(spec: EngineSpec, held: Sequence[int] | IntArray) -> list[int]:
    """Return what an engine stores of a weight codebook as it stands on ports."""
    return sign_code(np.asarray(held), spec.numbers.w_centroid_bits).tolist()


def measure_words(spec: EngineSpec, scale: Scale, centroids: IntArray) -> Any:
    """Return what an engine measures one token's activations with."""
    if spec.numbers.made:
        word = int(reciprocal(scale.mantissa)[0]) >> RECIPROCAL_DROP
        return {"reciprocal": word, "exponent": int(scale.exponent[0])}
    return threshold_words(scale, centroids, symmetric=spec.numbers.symmetric, bits=spec.code_bits)


def threshold_words(
    scale: Scale, centroids: IntArray, *, symmetric: bool, bits: int = 4
) -> list[Any]:
    """Return one token's thresholds as the clustering unit wants them."""
    if not symmetric:
        bounds = [bound - (bound < 0) for bound in thresholds(scale, centroids)[0].tolist()]
        return bounds + [INFINITY] * ((1 << bits) - 1 - len(bounds))
    held = stored_centroids(centroids, symmetric=True)
    floor, exact = floor_magnitude(
        scale.mantissa * (held[:-1] + held[1:]), scale.exponent - A_FRACTION_BITS - 1
    )
    words = [
        {"exact": int(e), "magnitude": int(f + (not e))} for f, e in zip(floor, exact, strict=True)
    ]
    unused = {"exact": 0, "magnitude": INFINITY}
    return words + [unused] * ((1 << (bits - 1)) - 1 - len(words))


def row_values(spec: EngineSpec, words: Sequence[int]) -> list[int]:
    """Return the signed entries that the digits of a row stand for, the lowest digit first."""
    bits = spec.numbers.magnitude_bits
    totals = np.zeros(spec.entries, np.int64)
    for digit, word in enumerate(words):
        row = unpack(spec.row, word)
        sign = -1 if row.get("sign") else 1
        totals += sign * np.array(row["entries"], np.int64) << (bits * digit)
    return totals.tolist()


def near_scale(rng: np.random.Generator, scale: Scale, count: int, most: float) -> BitArray:
    """Return FP16 patterns of up to ``most`` scales; some are corners."""
    ratios = rng.normal(size=count) * rng.choice([1, 30, 500, 3000], count)
    ratios = np.where(rng.random(count) < 0.1, most * np.sign(ratios), ratios)
    largest = min(most * scale.value()[0], 65504.0)
    x = np.clip(ratios * scale.value(), -largest, largest)
    corners = rng.choice(FINITE, count).view(np.float16).astype(np.float64)
    x = np.where((rng.random(count) < 0.2) & (np.abs(corners) <= largest), corners, x)
    return clean(x.astype(np.float16).view(np.uint16))
