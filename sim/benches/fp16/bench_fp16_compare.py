"""cocotb bench for Fp16Compare."""

import cocotb
import numpy as np

from golden.exact.fp16_arithmetic import compare
from sim.kit.fp16_operands import corner_pairs, near, negated, patterns
from sim.kit.testbed import Testbed

COUNT = 2000


@cocotb.test(timeout_time=100, timeout_unit="us")
async def every_relation(dut) -> None:
    """Any two numbers, numbers next to each other and opposite ones, and corners."""
    bed = Testbed(dut)
    any_a, any_b = patterns(bed.rng, COUNT), patterns(bed.rng, COUNT)
    corner_a, corner_b = corner_pairs()
    a = np.concatenate([any_a, any_a, any_a, corner_a])
    b = np.concatenate([any_b, near(bed.rng, any_a), negated(any_a), corner_b])
    got = [
        await bed.evaluate("less", "equal", "unordered", a=x, b=y)
        for x, y in zip(a, b, strict=True)
    ]
    np.testing.assert_array_equal(np.array(got).T, compare(a, b))
