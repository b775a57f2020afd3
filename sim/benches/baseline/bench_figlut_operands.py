"""cocotb bench for FiglutOperands: random activations, and the largest of either sign."""

import cocotb

from hw.baseline.figlut_lane import ENTRIES, GROUP
from sim.kit.testbed import Testbed

COUNT = 500


@cocotb.test(timeout_time=10, timeout_unit="us")
async def makes_tables(dut) -> None:
    """Add and subtract in all ways; take the sum of all activations off the offset."""
    bed = Testbed(dut)
    block = bed.block
    most = 1 << (block.activation_bits - 1)
    for n in range(COUNT):
        x = bed.rng.integers(-most, most, block.inputs)
        if n < 2:
            x[:] = -most if n else most - 1
        tables = [
            [
                int(x3 + sum(v if entry >> place & 1 else -v for place, v in enumerate(others)))
                for entry in range(ENTRIES)
            ]
            for *others, x3 in x.reshape(-1, GROUP).tolist()
        ]
        offset = (block.sums.base - int(x.sum())) & bed.mask("offset")
        assert await bed.evaluate("tables", "offset", activations=x.tolist()) == [tables, offset]
