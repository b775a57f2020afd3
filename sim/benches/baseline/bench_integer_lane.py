"""cocotb bench for IntegerLane: random numbers, and the largest sums of either sign."""

import cocotb

from sim.kit.booth import digit_words, magnitudes
from sim.kit.lanes import lane_sums
from sim.kit.testbed import Testbed

COUNT = 1500


@cocotb.test(timeout_time=30, timeout_unit="us")
async def sums_products(dut) -> None:
    """Add the products, all numbers down to the lowest."""
    bed = Testbed(dut)
    lane = bed.block
    most_x, most_w = 1 << (lane.activation_bits - 1), 1 << (lane.weight_bits - 1)
    at_once, later, expected = [], [], []
    for n in range(COUNT):
        x = bed.rng.integers(-most_x, most_x, lane.inputs)
        w = bed.rng.integers(-most_w, most_w, lane.inputs)
        if n < 4:
            x[:], w[:] = (most_x - 1, -most_x)[n % 2], (most_w - 1, -most_w)[n // 2]
        digits = [digit_words(value, lane.activation_bits // 2) for value in x.tolist()]
        added = sum(magnitudes(words, negative_only=True) for words in digits)
        offset = lane.products.offset_none - added
        at_once.append({"weights": w.tolist()})
        later.append({"digits": digits, "offset": offset})
        expected.append(int(x @ w))
    assert await lane_sums(bed, at_once, later) == expected
    assert {most_x * most_w * lane.inputs, -(most_x - 1) * most_w * lane.inputs} <= set(expected)
