"""cocotb bench for Fp16Lane: patterns of every kind, and numbers whose sums are finite."""

import cocotb
import numpy as np

from golden.exact.fp16 import to_bits
from golden.exact.mac import fp16_sums
from sim.kit.fp16_operands import patterns
from sim.kit.free_running import answers
from sim.kit.testbed import Testbed

COUNT = 400


@cocotb.test(timeout_time=30, timeout_unit="us")
async def sums_products(dut) -> None:
    """Round each product and each sum of the tree."""
    bed = Testbed(dut)
    inputs = bed.block.inputs
    size = COUNT, inputs
    numbers = [
        np.where(
            np.arange(COUNT)[:, None] % 4 == 0,
            patterns(bed.rng, COUNT * inputs).reshape(size),
            to_bits(bed.rng.normal(size=size)),
        )
        for _ in range(2)
    ]
    expected = [int(fp16_sums(x, w[:, None], inputs)[0]) for x, w in zip(*numbers, strict=True)]
    x, w = (values.tolist() for values in numbers)
    got = await answers(bed, "sum", activations=x, weights=w)
    np.testing.assert_array_equal(got, expected)
