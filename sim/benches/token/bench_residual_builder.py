"""cocotb bench for ResidualBuilder and ResidualStore: saturation, repeated outliers."""

import cocotb
import numpy as np

from golden.exact.clustering import cluster, thresholds
from golden.exact.fp16 import key
from golden.exact.mapping import stored_centroids
from golden.exact.residual import ratio, reciprocal, residual_rows
from golden.exact.spec import IntArray
from golden.exact.token_scale import Scale
from hw.linear.counter.compensation_product import CompensationProduct
from hw.linear.counter.residual_store import ResidualStore
from sim.kit.buffers import WrittenBuffer
from sim.kit.codebooks import (
    near_scale,
    random_centroids,
    random_scales,
    row_values,
    scale_word,
    stored,
    threshold_words,
)
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic
from sim.kit.words import unpack

TOKENS = 12


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def builds_rows(dut, traffic: str) -> None:
    """Rows and positions are where they belong, and saturation is told."""
    bed = await Testbed(dut).start()
    told = set()
    for n, scale in enumerate(random_scales(bed.rng, TOKENS)):
        k_top = (bed.block.spec.outliers_max, 1, 3)[n % 3]
        told.add(await one_token(bed, scale, k_top, traffic))
    assert told == {False, True}


async def one_token(bed: Testbed, scale: Scale, k_top: int, traffic: str) -> bool:
    """Try one token's outliers, after a reset in the middle of them."""
    spec = bed.block.spec
    symmetric = spec.numbers.symmetric
    size = int(bed.rng.choice([4, 8, 16]))
    a_centroids, w_centroids = (
        random_centroids(bed.rng, size, symmetric=symmetric) for _ in range(2)
    )
    bits = near_scale(bed.rng, scale, 2 * k_top)
    position = bed.rng.integers(spec.inputs_max, size=2 * k_top)
    again = bed.rng.random(2 * k_top) < 0.2
    bed.set(
        k_top=k_top,
        a_centroids=stored(a_centroids, symmetric=symmetric),
        w_centroids=stored(w_centroids, symmetric=symmetric),
        scale=scale_word(scale),
        thresholds=threshold_words(scale, a_centroids, symmetric=symmetric),
        reciprocal=int(reciprocal(scale.mantissa)[0]),
    )
    items = [
        {"key": int(k), "position": int(p), "repeated": int(r)}
        for k, p, r in zip(key(bits), position, again, strict=True)
    ]
    bed.send("i", items)
    await bed.pulse("start")
    await bed.disturb()
    await bed.restart(traffic)
    rows, positions = WrittenBuffer(bed, "rows"), WrittenBuffer(bed, "positions")
    saturated = bed.strobe("saturated")
    bed.send("i", items)
    await bed.pulse("start")
    cycles = await bed.until("finished")
    if TRAFFIC[traffic].source_stall == 0:
        assert cycles == bed.block.fill + 2 * k_top * bed.block.period

    quotient, beyond = ratio(bits[None], scale)
    centroid = a_centroids[cluster(key(bits)[None], thresholds(scale, a_centroids))]
    residual = np.where(again, 0, quotient - centroid)
    expected, clipped = residual_rows(
        spec.numbers, residual, stored_centroids(w_centroids, symmetric=symmetric)
    )
    if isinstance(bed.block, ResidualStore):
        await bed.cycles(1 + CompensationProduct.LATENCY)  # until the last product is known
        for n in range(2 * k_top):
            stored_one = unpack(spec.residual, rows.words[n, 0])
            sign = -1 if stored_one["negative"] else 1
            assert sign * stored_one["magnitude"] == residual[0, n]
            assert positions.words[n, 0] == position[n]
        assert len(rows.words) == 2 * k_top
    else:
        check_rows(bed, rows, expected[0])
        for n, channel in enumerate(position):
            assert positions.words[divmod(n, spec.inputs_per_beat)] == channel
    should = bool((beyond & ~again).any() or clipped.any())
    assert bool(saturated) == should
    return should


def check_rows(bed: Testbed, rows: WrittenBuffer, expected: IntArray) -> None:
    """Compare the rows' digits with the rows (outliers, weight centroids)."""
    spec = bed.block.spec
    digits = spec.numbers.residual_digits
    for n, row in enumerate(expected):
        group, lane = divmod(n, spec.inputs_per_beat)
        words = [rows.words[group * digits + digit, lane] for digit in range(digits)]
        got = row_values(spec, words)[: len(row)]
        np.testing.assert_array_equal(got, row, f"outlier {n}")
    assert len(rows.words) == len(expected) * digits
