"""cocotb bench for ClusteringUnit: random and cramped codebooks, activations at the boundaries."""

import cocotb
import numpy as np

from golden.exact.clustering import cluster, thresholds
from golden.exact.fp16 import BitArray, key
from golden.exact.mapping import index_code
from sim.kit.codebooks import random_centroids, random_scales, threshold_words
from sim.kit.corners import clean, finite, from_key
from sim.kit.testbed import Testbed

TOKENS = 60
ACTIVATIONS = 40


def compared(x: BitArray, *, symmetric: bool) -> list[int]:
    """Return activations as they stand on the port."""
    magnitude, negative = x.astype(np.int64) & 0x7FFF, x >> 15 != 0
    if symmetric:
        return (2 * magnitude + ~negative).tolist()
    return (np.where(negative, ~magnitude & 0x7FFF, magnitude | 0x8000)).tolist()


async def codes(bed: Testbed, words: list, activations: list[int]) -> list[int]:
    """Return the codes of activations; of a unit with registers, these are held now and then."""
    if not bed.block.latency:
        return [
            (await bed.evaluate("code", measure=words, activation=one))[0] for one in activations
        ]
    bed.set(measure=words)
    got = []
    for one in activations:
        bed.set(activation=one, en=1)
        await bed.cycles()
        if bed.rng.random() < 0.1:
            bed.set(activation=int(bed.rng.integers(1 << 16)), en=0)
            await bed.cycles()
        await bed.settled()
        got.append(bed.get("code"))
    return got


@cocotb.test(timeout_time=400, timeout_unit="us")
async def nearest_centroid(dut) -> None:
    """Every activation gets the code of its cluster, at a boundary that of the upper one."""
    bed = Testbed(dut)
    if bed.block.latency:
        await bed.start()
    symmetric, bits = bed.block.symmetric, bed.block.code_bits
    seen = set()
    for size in (4, 8, 16, 32)[: bits - 1]:
        for scale in random_scales(bed.rng, TOKENS):
            centroids = random_centroids(bed.rng, size, symmetric=symmetric)
            bounds = thresholds(scale, centroids)
            at = bed.rng.choice(bounds[0], ACTIVATIONS) + bed.rng.integers(-1, 2, ACTIVATIONS)
            x = np.concatenate([from_key(at), clean(finite(bed.rng, (ACTIVATIONS,)))])
            index = cluster(key(x)[None], bounds)[0]
            words = threshold_words(scale, centroids, symmetric=symmetric, bits=bits)
            got = await codes(bed, words, compared(x, symmetric=symmetric))
            expected = index_code(index, size, symmetric=symmetric, bits=bits)
            np.testing.assert_array_equal(got, expected)
            seen |= set(got)
    assert len(seen) == 1 << bits, f"only the codes {sorted(seen)} came out"
