"""cocotb bench for EntrySlices: every slice of a few tables, in any order."""

import cocotb

from sim.kit.counting import entry_slice, products, random_table
from sim.kit.testbed import Testbed


@cocotb.test(timeout_time=20, timeout_unit="us")
async def slices(dut) -> None:
    """Each lane has its bin's product, offset, a cycle later."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    for _ in range(6):
        table = random_table(bed.rng, spec)
        values = products(spec, table)
        bed.set(product_table=table)
        for step in [*range(spec.steps), *bed.rng.integers(spec.steps, size=8).tolist()]:
            bed.set(step=step)
            await bed.cycles()
            await bed.settled()
            expected = entry_slice(spec, values, step)
            assert {name: bed.get(name) for name in expected} == expected
