"""cocotb bench for Walk: nested loops with counts of all kinds."""

from collections.abc import Iterator
from typing import Any

import cocotb

from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic

WALKS = 3


def items(loops: tuple, counts: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Yield the items of a walk."""
    if not loops:
        yield {}
        return
    loop, *within = loops
    passes = max(-(-counts[loop.name] // loop.step), 1)
    for n in range(passes):
        for item in items(tuple(within), counts):
            last = n == passes - 1
            ends = last and all(one["last"] for one in item.values())
            yield {loop.name: {"index": n, "first": n == 0, "last": last, "ends": ends}, **item}


def random_counts(bed: Testbed) -> dict[str, int]:
    """Return counts, often the least or the highest."""
    return {
        loop.name: int(bed.rng.choice([0, 1, loop.most, bed.rng.integers(loop.most + 1)]))
        for loop in bed.block.loops
    }


@every_traffic
@cocotb.test(timeout_time=300, timeout_unit="us")
async def walks(dut, traffic: str) -> None:
    """Items come in order while there is something; a reset begins with a walk's first."""
    bed = await Testbed(dut).start()
    for _ in range(10):
        counts = random_counts(bed)
        bed.set(counts=counts, available=1)
        await bed.disturb()
        bed.set(available=0)
        await bed.restart(traffic)
        expected = list(items(bed.block.loops, counts)) * WALKS
        outermost = bed.block.loops[0].name
        stall = TRAFFIC[traffic].source_stall
        await bed.offer(WALKS, stall, lambda name=outermost: bed.item("o")[name]["ends"])
        await bed.expect("o", expected)
        if traffic == "free":
            bed.check_gapless("o")


@cocotb.test(timeout_time=100, timeout_unit="us")
async def counts_follow_an_index(dut) -> None:
    """Let the innermost count depend on the passes of the outermost loop."""
    bed = await Testbed(dut).start()
    outermost, innermost = bed.block.loops[0], bed.block.loops[-1]
    most = {loop.name: loop.most for loop in bed.block.loops}
    bed.set(available=1)
    bed.dut.o__ready.value = 1
    for n in range(-(-outermost.most // outermost.step)):
        counts = most | {innermost.name: max(innermost.most - 3 * n, 1)}
        for item in items(bed.block.loops, counts):
            if item[outermost.name]["index"] == n:
                bed.set(counts=counts)
                await bed.settled()
                assert bed.item("o") == item
                await bed.cycles()
