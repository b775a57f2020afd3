"""cocotb bench for BitCounter: every pattern of few bits, many of more."""

import cocotb
import numpy as np

from sim.kit.testbed import Testbed

MOST = 1 << 10


@cocotb.test(timeout_time=20, timeout_unit="us")
async def counts(dut) -> None:
    """Count the ones."""
    bed = Testbed(dut)
    patterns = 1 << bed.block.bits
    some = np.arange(patterns) if patterns <= MOST else bed.rng.integers(patterns, size=MOST)
    for pattern in (*some.tolist(), patterns - 1):
        assert await bed.evaluate("count", i=pattern) == [pattern.bit_count()]
