"""cocotb bench for UartWriter: a receiver of the line reads the bytes that went in."""

import itertools

import cocotb

from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

COUNT = 6


async def received(bed: Testbed, cycles: int, count: int) -> list[int]:
    """Return bytes that come on the line ``tx``, each bit of which must last its cycles."""
    found = []
    for _ in range(count):
        levels: list[int] = []
        while len(levels) < 10 * cycles:
            await bed.settled()
            if levels or not bed.get("tx"):
                levels.append(bed.get("tx"))
            await bed.cycles()
        bits = [set(levels[n : n + cycles]) for n in range(0, len(levels), cycles)]
        assert all(len(one) == 1 for one in bits), f"a bit changes on the way: {levels}"
        start, *value, stop = (one.pop() for one in bits)
        assert (start, stop) == (0, 1), f"no frame: {levels}"
        found.append(sum(bit << n for n, bit in enumerate(value)))
    return found


@every_traffic
@cocotb.test(timeout_time=50, timeout_unit="us")
async def sends(dut, traffic: str) -> None:
    """Every byte comes once, in its order."""
    bed = await Testbed(dut).start(traffic)
    items = [0, 255, *bed.rng.integers(0, 256, COUNT - 2).tolist()]
    await bed.send_anew(traffic, i=items)
    assert await received(bed, bed.block.cycles, COUNT) == items


@cocotb.test(timeout_time=50, timeout_unit="us")
async def is_as_fast_as_the_line(dut) -> None:
    """With nobody pausing, a byte follows the one before without a rest."""
    bed = await Testbed(dut).start()
    bed.send("i", [0x55] * COUNT)
    await received(bed, bed.block.cycles, COUNT)
    taken = bed.sources["i"].taken_at
    gaps = [late - early for early, late in itertools.pairwise(taken)]
    assert gaps == [10 * bed.block.cycles] * (COUNT - 1)
