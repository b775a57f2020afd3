"""cocotb bench for DequantLane: random codes and centroids, and the largest sums of either sign."""

import cocotb
import numpy as np

from golden.mac import half_odd
from sim.bed.lanes import lane_sums
from sim.bed.testbed import Testbed

COUNT = 1000
MOST = 127


@cocotb.test(timeout_time=30, timeout_unit="us")
async def sums_products(dut) -> None:
    """Look weights up, and add their products in half units."""
    bed = Testbed(dut)
    lane = bed.block
    at_once, later, expected = [], [], []
    for n in range(COUNT):
        magnitudes = bed.rng.integers(MOST, size=lane.inputs, endpoint=True)
        signs = bed.rng.integers(2, size=lane.inputs)
        table = bed.rng.integers(MOST, size=8, endpoint=True)
        codes = bed.rng.integers(16, size=lane.inputs)
        if n < 4:
            magnitudes[:], table[:] = MOST, MOST
            signs[:], codes[:] = n % 2, n // 2 * 8
        offset = (lane.products.base - int(magnitudes.sum())) & bed.mask("offset")
        at_once.append(
            {
                "signs": int(signs @ (1 << np.arange(lane.inputs))),
                "weights": codes.tolist(),
                "weight_magnitudes": table.tolist(),
            }
        )
        later.append({"magnitudes": magnitudes.tolist(), "offset": offset})
        expected.append(int(np.where(signs, -magnitudes, magnitudes) @ half_odd(codes, table)))
    assert await lane_sums(bed, at_once, later) == expected
    most = MOST * (2 * MOST + 1) * lane.inputs
    assert {-most, most} <= set(expected)
