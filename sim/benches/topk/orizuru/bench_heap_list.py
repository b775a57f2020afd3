"""cocotb bench for HeapList: random insertions, then everything is sent, the last one first."""

from itertools import pairwise

import cocotb

from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

ROUNDS = 25


def order(bed: Testbed, entry: dict[str, int]) -> tuple[int, int]:
    """Return what sorts entries, those furthest out first."""
    return (-entry["key"] if bed.block.largest else entry["key"]), entry["position"]


async def fill(bed: Testbed, k_top: int) -> list[dict[str, int]]:
    """Insert at random, at least k_top; return what the heap should hold, in order."""
    spread = (3, 1 << 15)[int(bed.rng.integers(2))]
    held: list[dict[str, int]] = []
    positions = iter(sorted(bed.rng.permutation(1 << bed.block.position_bits).tolist()))
    for _ in range(k_top + int(bed.rng.integers(3 * bed.block.entries))):
        key = int(bed.rng.integers(-spread, spread))
        entry = {"key": key, "position": next(positions)}
        await bed.until("free")
        assert bed.get("full") == (len(held) == k_top)
        if len(held) == k_top:
            assert bed.get("threshold") == held[-1]["key"]
        held = sorted([*held, entry], key=lambda e: order(bed, e))[:k_top]
        await bed.pulse("insert", **entry)
        if bed.rng.random() < 0.1:
            await bed.cycles(5)
    return held


@every_traffic
@cocotb.test(timeout_time=400, timeout_unit="us")
async def keeps_the_furthest(dut, traffic: str) -> None:
    """Whatever k_top, the k_top furthest out come, last one first; of equals the later first."""
    bed = await Testbed(dut).start(traffic)
    for n in range(ROUNDS):
        k_top = (
            (1, 2, bed.block.entries)[n] if n < 3 else 1 + int(bed.rng.integers(bed.block.entries))
        )
        bed.set(k_top=k_top)
        held = await fill(bed, k_top)
        await bed.until("free")
        assert await bed.drained() == held[::-1]
        await bed.cycles()
        bed.set(drain=0)
        if n == ROUNDS // 2:
            await fill(bed, k_top)
            await bed.restart(traffic)


@cocotb.test(timeout_time=10, timeout_unit="us")
async def keeps_its_timing(dut) -> None:
    """Ready ``sweep`` cycles after reset; an insertion every ``PERIOD`` cycles; drops in one."""
    bed = await Testbed(dut).start()
    block = bed.block
    sign = 1 if block.largest else -1
    bed.set(k_top=block.entries)
    await bed.restart()
    assert await bed.until("free") in range(block.sweep - 1, block.sweep + 1)
    for n in range(block.entries):
        await bed.pulse("insert", key=sign * n, position=n)
        assert await bed.until("free") == block.PERIOD - 1
    await bed.settled()
    assert bed.get("full")
    assert bed.get("threshold") == 0
    bed.set(insert=1, key=0)
    for _ in range(5):
        await bed.cycles()
        await bed.settled()
        assert bed.get("free")
    bed.set(key=sign)
    await bed.cycles(block.LATENCY)
    bed.set(insert=0)
    await bed.settled()
    assert bed.get("threshold") == sign
    await bed.until("free")
    await bed.drained()
    taken = bed.sinks["o"].taken_at
    assert [b - a for a, b in pairwise(taken)] == [block.PERIOD] * (block.entries - 1)
