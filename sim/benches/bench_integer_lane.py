"""cocotb bench for IntegerLane: random numbers, and the largest sums of either sign."""

import cocotb
import numpy as np

from sim.bed.lanes import lane_sums
from sim.bed.testbed import Testbed

COUNT = 1500


@cocotb.test(timeout_time=30, timeout_unit="us")
async def sums_products(dut) -> None:
    """Add the products; activations reach up to ±7, weights from -8 to 7."""
    bed = Testbed(dut)
    lane = bed.block
    magnitude_bits = lane.activation_bits - 1
    most_x, most_w = (1 << magnitude_bits) - 1, 1 << (lane.weight_bits - 1)
    base = lane.products.base
    at_once, later, expected = [], [], []
    for n in range(COUNT):
        x = bed.rng.integers(-most_x, most_x, lane.inputs, endpoint=True)
        w = bed.rng.integers(-most_w, most_w, lane.inputs)
        if n < 4:
            x[:] = most_x * (-1) ** n
            w[:] = -most_w if n // 2 else most_w - 1
        negative = x < 0
        offset = (base - int(np.abs(x[negative]).sum())) & bed.mask("offset")
        signs = int(negative @ (1 << np.arange(lane.inputs)))
        at_once.append({"signs": signs, "weights": w.tolist()})
        later.append({"magnitudes": np.abs(x).tolist(), "offset": offset})
        expected.append(int(x @ w))
    assert await lane_sums(bed, at_once, later) == expected
    assert {-most_x * most_w * lane.inputs, most_x * most_w * lane.inputs} <= set(expected)
