"""cocotb bench for IndexMap: every index in every lane."""

import cocotb
import numpy as np

from golden.exact.index_statistics import INDICES
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def values(dut, traffic: str) -> None:
    """Each index comes out as its value; index 15 as the number itself, where numbers pass."""
    bed = await Testbed(dut).start()
    lanes, bits = bed.block.lanes, bed.block.value_bits
    table = bed.rng.integers(1 << bits, size=INDICES - 1)
    indices = (np.arange(3 * INDICES)[:, None] + np.arange(lanes)) % INDICES
    numbers = bed.rng.integers(1 << 16, size=indices.shape)
    await bed.restart(traffic)
    bed.set(values=table)
    bed.send("i", [{"indices": i, "numbers": x} for i, x in zip(indices, numbers, strict=True)])
    found = await bed.receive("o", len(indices))
    expected = np.where(indices == INDICES - 1, numbers, np.append(table, 0)[indices] << 16 - bits)
    np.testing.assert_array_equal(found, expected)
    if traffic == "free":
        bed.check_pipeline("i", "o", bed.block.LATENCY)
