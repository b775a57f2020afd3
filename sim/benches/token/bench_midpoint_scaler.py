"""cocotb bench for MidpointScaler: codebooks of every size, least and largest scales."""

import cocotb

from sim.kit.codebooks import (
    LARGEST,
    random_centroids,
    random_scales,
    scale_word,
    stored,
    threshold_words,
)
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

TOKENS = 25


@every_traffic
@cocotb.test(timeout_time=120, timeout_unit="us")
async def scales_midpoints(dut, traffic: str) -> None:
    """Each token gets the golden thresholds, and infinity beyond the codebook."""
    bed = await Testbed(dut).start()
    symmetric = bed.block.symmetric
    bits = bed.block.spec.code_bits
    for size in (4, 8, 16, 1 << bits):
        centroids = random_centroids(bed.rng, size, symmetric=symmetric)
        bed.set(
            centroids=stored(centroids, symmetric=symmetric, filler=LARGEST, bits=bits),
            last_centroid=(size // 2 if symmetric else size) - 1,
        )
        scales = list(random_scales(bed.rng, TOKENS))
        words = [scale_word(scale) for scale in scales]
        await bed.send_anew(traffic, i=words)
        got = await bed.receive("o", TOKENS)
        for scale, thresholds in zip(scales, got, strict=True):
            words = threshold_words(scale, centroids, symmetric=symmetric, bits=bits)
            assert thresholds == words
        if traffic == "free":
            bed.check_pipeline("i", "o", bed.block.latency, interval=bed.block.latency + 1)
