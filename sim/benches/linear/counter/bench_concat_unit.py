"""cocotb bench for ConcatUnit: every pair of codes."""

import cocotb
import numpy as np

from sim.kit.counting import bin_numbers
from sim.kit.lookups import CODES
from sim.kit.testbed import Testbed


@cocotb.test(timeout_time=10, timeout_unit="us")
async def numbers_bins(dut) -> None:
    """Both parts of the bin's number are right."""
    bed = Testbed(dut)
    for activation in range(CODES):
        for weight in range(CODES):
            row, column = await bed.evaluate("row", "column", activation=activation, weight=weight)
            codes = np.array([activation]), np.array([weight])
            assert row * CODES + column == bin_numbers(bed.block.spec, *codes)[0]
