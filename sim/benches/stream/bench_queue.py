"""cocotb bench for Queue and Stage: what goes in comes out, in order, and in time."""

import cocotb

from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic
from sim.kit.words import width

COUNT = 300


@every_traffic
@cocotb.test(timeout_time=40, timeout_unit="us")
async def keeps_order(dut, traffic: str) -> None:
    """Every item comes out once; a reset drops those that wait."""
    bed = await Testbed(dut).start()
    items = bed.rng.integers(1 << width(bed.block.shape), size=COUNT).tolist()
    await bed.send_anew(traffic, i=items)
    await bed.expect("o", items)
    if traffic == "free":
        bed.check_pipeline("i", "o", bed.block.LATENCY)


@cocotb.test(timeout_time=40, timeout_unit="us")
async def has_room(dut) -> None:
    """While none is taken, as many items go in as there are places."""
    bed = await Testbed(dut).start()
    bed.sinks["o"].task.cancel()
    dut.o__ready.value = 0
    depth = getattr(bed.block, "depth", 1)
    bed.send("i", [0] * (depth + 1))
    await bed.cycles(4 * depth + 4)
    assert len(bed.sources["i"].taken_at) == depth
