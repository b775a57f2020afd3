"""cocotb bench for ChannelMemory: written channel by channel, read group by group."""

import cocotb

from sim.kit.channels import load_channels
from sim.kit.testbed import Testbed
from sim.kit.words import width

CYCLES = 1000


@cocotb.test(timeout_time=40, timeout_unit="us")
async def reads_back(dut) -> None:
    """Read what was written before; values stay while nothing is read, and in a reset."""
    bed = await Testbed(dut).start()
    block, rng = bed.block, bed.rng
    values = rng.integers(1 << width(block.shape), size=block.groups * block.lanes)
    await load_channels(bed, values.tolist())
    await bed.restart()
    expected = None
    for _ in range(CYCLES):
        writes, reads = int(rng.random() < 0.5), int(rng.random() < 0.7)
        channel, group = int(rng.integers(len(values))), int(rng.integers(block.groups))
        value = int(rng.integers(1 << width(block.shape)))
        bed.set(channel_en=writes, channel_address=channel, channel=value)
        bed.set(read_en=reads, group=group)
        await bed.settled()
        if expected is not None:
            assert bed.get("values") == expected
        if reads:
            expected = values.reshape(-1, block.lanes)[group].tolist()
        if writes:
            values[channel] = value
        await bed.cycles()
