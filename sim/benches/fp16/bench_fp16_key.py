"""cocotb bench for Fp16Key: all 65,536 patterns."""

import cocotb
import numpy as np

from golden.exact.fp16 import flush_nonfinite, is_finite, key
from sim.kit.corners import clean
from sim.kit.testbed import Testbed


@cocotb.test(timeout_time=300, timeout_unit="us")
async def every_pattern(dut) -> None:
    """Each output is what the golden functions say."""
    bed = Testbed(dut)
    bits = np.arange(1 << 16).astype(np.uint16)
    got = np.array([await bed.evaluate("clean", "key", "nonfinite", bits=b) for b in bits])
    np.testing.assert_array_equal(got[:, 0], clean(flush_nonfinite(bits)))
    np.testing.assert_array_equal(got[:, 1], key(flush_nonfinite(bits)))
    np.testing.assert_array_equal(got[:, 2], ~is_finite(bits))
