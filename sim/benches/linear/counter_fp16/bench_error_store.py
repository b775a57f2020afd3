"""cocotb bench for ErrorStore: outliers near and far, repeated ones, codebooks of every size."""

import cocotb
import numpy as np

from golden.exact.clustering import cluster, thresholds
from golden.exact.counter_fp16 import error_units
from golden.exact.fp16 import key, to_bits
from golden.exact.spec import A_FRACTION_BITS
from golden.exact.token_scale import Scale
from sim.kit.buffers import WrittenBuffer
from sim.kit.codebooks import (
    near_scale,
    random_centroids,
    random_scales,
    scale_word,
    stored,
    threshold_words,
)
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic

TOKENS = 12


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def stores_errors(dut, traffic: str) -> None:
    """Errors and positions are where they belong."""
    bed = await Testbed(dut).start()
    for n, scale in enumerate(random_scales(bed.rng, TOKENS)):
        await one_token(bed, scale, (bed.block.spec.outliers_max, 1, 3)[n % 3], traffic)


async def one_token(bed: Testbed, scale: Scale, k_top: int, traffic: str) -> None:
    """Try one token's outliers, after a reset in the middle of them."""
    spec = bed.block.spec
    symmetric = spec.numbers.symmetric
    a_centroids = random_centroids(bed.rng, int(bed.rng.choice([4, 8, 16])), symmetric=symmetric)
    x = near_scale(bed.rng, scale, 2 * k_top)
    position = bed.rng.integers(spec.inputs_max, size=2 * k_top)
    again = bed.rng.random(2 * k_top) < 0.2
    bed.set(
        k_top=k_top,
        a_centroids=stored(a_centroids, symmetric=symmetric),
        scale=scale_word(scale),
        thresholds=threshold_words(scale, a_centroids, symmetric=symmetric),
    )
    items = [
        {"key": int(k), "position": int(p), "repeated": int(r)}
        for k, p, r in zip(key(x), position, again, strict=True)
    ]
    bed.send("i", items)
    await bed.pulse("start")
    await bed.disturb()
    await bed.restart(traffic)
    rows, positions = WrittenBuffer(bed, "rows"), WrittenBuffer(bed, "positions")
    await bed.cycles(bed.block.SETTLING)
    bed.send("i", items)
    await bed.pulse("start")
    cycles = await bed.until("finished")
    if TRAFFIC[traffic].source_stall == 0:
        assert cycles == bed.block.fill + 2 * k_top * bed.block.period

    index = cluster(key(x)[None], thresholds(scale, a_centroids))[0]
    centroid = to_bits(np.ldexp(a_centroids.astype(np.float64), -A_FRACTION_BITS))[index]
    expected = error_units(x, to_bits(scale.value()), centroid, ~again)
    assert rows.words == {(n, 0): int(error) for n, error in enumerate(expected)}
    assert positions.words == {(n, 0): int(place) for n, place in enumerate(position)}
