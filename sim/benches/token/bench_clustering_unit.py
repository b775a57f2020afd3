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


@cocotb.test(timeout_time=100, timeout_unit="us")
async def nearest_centroid(dut) -> None:
    """Every activation gets the code of its cluster, at a boundary that of the upper one."""
    bed = Testbed(dut)
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
            got = [
                (await bed.evaluate("code", measure=words, activation=pattern))[0]
                for pattern in compared(x, symmetric=symmetric)
            ]
            codes = index_code(index, size, symmetric=symmetric, bits=bits)
            np.testing.assert_array_equal(got, codes)
            seen |= set(got)
    assert len(seen) == 1 << bits, f"only the codes {sorted(seen)} came out"
