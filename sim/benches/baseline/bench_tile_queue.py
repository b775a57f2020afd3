"""cocotb bench for TileQueue: as many tiles announced as there is room for, at random."""

import cocotb

from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

TILES = 100


@every_traffic
@cocotb.test(timeout_time=60, timeout_unit="us")
async def keeps_tiles(dut, traffic: str) -> None:
    """Keep all tiles in their order; say when there is room for one more."""
    bed = await Testbed(dut).start(traffic)
    block = bed.block
    lanes = block.spec.output_lanes
    sent: list[list[int]] = []
    announced = 0
    while len(sent) < TILES:
        held = announced - len(bed.sinks["o"].items)  # right after the rising edge
        reserve = int(held < block.depth and bed.rng.random() < 0.7)
        push = int(announced > len(sent) and bed.rng.random() < 0.7)
        tile = bed.rng.integers(1 << 16, size=lanes).tolist()
        bed.set(reserve=reserve, push=push, tile=tile)
        announced += reserve
        if push:
            sent.append(tile)
        await bed.settled()
        assert bed.get("room") == int(held < block.depth)
        await bed.cycles()
    bed.set(reserve=0, push=0)
    await bed.expect("o", sent)
