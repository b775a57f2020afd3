"""cocotb bench for CountMultiply: counts of every size, and every kind of FP16 number."""

import cocotb
import numpy as np

from golden.exact.fp16_arithmetic import from_integer, multiply
from sim.kit.fp16_operands import CORNERS, patterns, sparse
from sim.kit.free_running import answers
from sim.kit.testbed import Testbed

COUNT = 2500


@cocotb.test(timeout_time=200, timeout_unit="us")
async def multiplies(dut) -> None:
    """Random counts and products, ties, and the corners of both."""
    bed = Testbed(dut)
    block = bed.block
    limit = 1 << block.count_bits
    counts = bed.rng.integers(limit, size=COUNT) >> bed.rng.integers(block.count_bits, size=COUNT)
    # Few bits make ties of products; halfway and just beside make ties of rounded counts.
    ends = np.array([0, 1, 2, 3, limit // 2 - 1, limit // 2, limit - 2, limit - 1])
    halves = bed.rng.integers(limit, size=COUNT) >> 4 << 4 | bed.rng.choice([0, 1, 2, 4, 8], COUNT)
    corner_counts, corners = np.meshgrid(ends, CORNERS)
    counts = np.concatenate([counts, halves % limit, corner_counts.ravel() % limit])
    products = np.concatenate([patterns(bed.rng, COUNT), sparse(bed.rng, COUNT), corners.ravel()])
    got = await answers(bed, "o", count=counts.tolist(), product=products.tolist())
    np.testing.assert_array_equal(got, multiply(from_integer(counts), products))
