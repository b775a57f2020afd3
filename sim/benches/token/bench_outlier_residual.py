"""cocotb bench for OutlierResidual: ratios of all sizes, ties of clusters, repeated outliers."""

import cocotb
import numpy as np

from golden.exact.clustering import cluster, thresholds
from golden.exact.fp16 import key
from golden.exact.residual import ratio, reciprocal
from sim.kit.codebooks import (
    near_scale,
    random_centroids,
    random_scales,
    scale_word,
    stored,
    threshold_words,
)
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

TOKENS, OUTLIERS = 10, 30


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def finds_residuals(dut, traffic: str) -> None:
    """Tell magnitude, sign and saturation of each; a reset leaves nothing behind."""
    bed = await Testbed(dut).start()
    symmetric = bed.block.spec.numbers.symmetric
    seen = set()
    for scale in random_scales(bed.rng, TOKENS):
        size = int(bed.rng.choice([4, 8, 16]))
        centroids = random_centroids(bed.rng, size, symmetric=symmetric)
        bits = near_scale(bed.rng, scale, OUTLIERS)
        position = bed.rng.integers(bed.block.spec.inputs_max, size=OUTLIERS)
        repeated = bed.rng.random(OUTLIERS) < 0.2
        bed.set(
            a_centroids=stored(centroids, symmetric=symmetric),
            scale=scale_word(scale),
            thresholds=threshold_words(scale, centroids, symmetric=symmetric),
            reciprocal=int(reciprocal(scale.mantissa)[0]),
        )
        items = [
            {"key": int(k), "position": int(p), "repeated": int(r)}
            for k, p, r in zip(key(bits), position, repeated, strict=True)
        ]
        bed.send("i", items)
        await bed.disturb()
        await bed.restart(traffic)
        bed.send("i", items)
        got = await bed.receive("o", OUTLIERS)

        quotient, beyond = ratio(bits[None], scale)
        centroid = centroids[cluster(key(bits)[None], thresholds(scale, centroids))]
        residual = np.where(repeated, 0, quotient - centroid)[0]
        told = [(-1) ** r["negative"] * r["magnitude"] for r in got]
        np.testing.assert_array_equal(told, residual)
        np.testing.assert_array_equal([r["saturated"] for r in got], (beyond & ~repeated)[0])
        np.testing.assert_array_equal([r["position"] for r in got], position)
        seen |= {bool(r["saturated"]) for r in got}
        if traffic == "free":
            np.testing.assert_array_equal(np.diff(bed.sinks["o"].taken_at), 1)
            latency = np.subtract(bed.sinks["o"].valid_at, bed.sources["i"].taken_at)
            np.testing.assert_array_equal(latency, bed.block.latency)
    assert seen == {False, True}
