"""cocotb bench for CreditQueue: behind a pipeline that cannot wait nothing is lost."""

import cocotb
import numpy as np

from sim.kit.clock import cycle
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, Pauses, every_traffic
from sim.kit.words import width

COUNT = 300


@every_traffic
@cocotb.test(timeout_time=60, timeout_unit="us")
async def loses_nothing(dut, traffic: str) -> None:
    """Results come out in order; there is room for as many as there are places, and no more."""
    bed = await Testbed(dut).start()
    pause = Pauses(bed.rng.spawn(1)[0], 0)
    await run(bed, bed.block.depth + 3, pause, at_most=int(bed.rng.integers(3, 40)))
    bed.set(reserve=0, push=0)
    for under_way in (0, 1, bed.block.depth - 3, bed.block.depth + 3):
        await bed.restart(traffic)
        pause = Pauses(bed.rng.spawn(1)[0], TRAFFIC[traffic].source_stall)
        expected, pushed_at = await run(bed, under_way, pause)
        await bed.expect("o", expected)
        if traffic == "free" and under_way <= bed.block.depth - 3:
            valid_at = bed.sinks["o"].valid_at
            np.testing.assert_array_equal(np.subtract(valid_at, pushed_at), bed.block.LATENCY)
            np.testing.assert_array_equal(np.diff(pushed_at), 1)


async def run(
    bed: Testbed, under_way: int, pause: Pauses, at_most: int | None = None
) -> tuple[list[int], list[int]]:
    """Reserve, and push so many cycles later; return what, and when. Compare ``room``."""
    values = bed.rng.integers(1 << width(bed.block.shape), size=COUNT).tolist()
    pipeline: list[int | None] = [None] * under_way  # the latest first
    taken_at = bed.sinks["o"].taken_at
    started, pushed_at = 0, []
    while len(pushed_at) < COUNT and at_most != 0:
        at_most = at_most and at_most - 1
        room = started - len(taken_at) < bed.block.depth
        starts = room and started < COUNT and not pause()
        pipeline.insert(0, values[started] if starts else None)
        result = pipeline.pop()
        bed.set(reserve=int(starts), push=int(result is not None), item=result or 0)
        started += starts
        if result is not None:
            pushed_at.append(cycle())
        await bed.settled()
        assert bed.get("room") == room
        await bed.cycles()
    bed.set(reserve=0, push=0)
    return values, pushed_at
