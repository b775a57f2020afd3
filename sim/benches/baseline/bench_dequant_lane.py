"""cocotb bench for DequantLane: random codes and centroids, and the largest sums of either sign."""

import cocotb
import numpy as np

from golden.exact.mac import half_odd
from sim.kit.booth import digit_words, magnitudes
from sim.kit.lanes import lane_sums
from sim.kit.testbed import Testbed

COUNT = 1000
MOST = 127
DIGITS = 4


@cocotb.test(timeout_time=30, timeout_unit="us")
async def sums_products(dut) -> None:
    """Look weights up, and add their products in half units."""
    bed = Testbed(dut)
    lane = bed.block
    at_once, later, expected = [], [], []
    for n in range(COUNT):
        x = bed.rng.integers(MOST, size=lane.inputs, endpoint=True)
        signs = bed.rng.integers(2, size=lane.inputs)
        table = bed.rng.integers(MOST, size=8, endpoint=True)
        codes = bed.rng.integers(16, size=lane.inputs)
        if n < 4:
            x[:], table[:] = MOST, MOST
            signs[:], codes[:] = n % 2, n // 2 * 8
        digits = [
            digit_words(value, DIGITS, negate=bool(sign))
            for value, sign in zip(x.tolist(), signs, strict=True)
        ]
        offset = lane.products.offset_none - sum(map(magnitudes, digits))
        at_once.append({"weights": codes.tolist(), "weight_magnitudes": table.tolist()})
        later.append({"digits": digits, "offset": offset})
        expected.append(int(np.where(signs, -x, x) @ half_odd(codes, table)))
    assert await lane_sums(bed, at_once, later) == expected
    most = MOST * (2 * MOST + 1) * lane.inputs
    assert {-most, most} <= set(expected)
