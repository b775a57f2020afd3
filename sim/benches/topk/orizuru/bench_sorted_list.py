"""cocotb bench for SortedList: random insertions, then everything is sent in order."""

from typing import Any

import cocotb

from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

ROUNDS = 40


async def fill(bed: Testbed, k_top: int, count: int, *, to_the_brim: bool) -> list[dict[str, int]]:
    """Insert at random; return what the list should hold. Keys are few in every other round."""
    spread = (3, 1 << 15)[int(bed.rng.integers(2))]
    sign = 1 if bed.block.largest else -1
    held: list[dict[str, int]] = []
    while count > 0 or (to_the_brim and len(held) < k_top):
        count -= 1
        entry = {
            "key": int(bed.rng.integers(-spread, spread)),
            "position": int(bed.rng.integers(1 << bed.block.position_bits)),
        }
        insert = int(bed.rng.random() < 0.8)
        bed.set(insert=insert, **entry)
        await bed.settled()
        if k_top:
            assert bed.get("full") == (len(held) == k_top)
        if held and len(held) == k_top:
            assert bed.get("threshold") == held[-1]["key"]
        if insert:
            place = sum(sign * (other["key"] - entry["key"]) >= 0 for other in held)
            held = [*held[:place], entry, *held[place:]][:k_top]
        await bed.cycles()
    bed.set(insert=0)
    return held


async def empty(bed: Testbed, held: list[dict[str, int]]) -> list[Any]:
    """Let the list send all that it holds, and clear it."""
    items = await bed.drained()
    await bed.pulse("clear")
    bed.set(drain=0)
    await bed.cycles()
    return items


@every_traffic
@cocotb.test(timeout_time=200, timeout_unit="us")
async def keeps_the_furthest(dut, traffic: str) -> None:
    """Whatever k_top, the k_top furthest out come in order; of equals the first inserted first."""
    bed = await Testbed(dut).start(traffic)
    entries, sent = bed.block.entries, 0
    for n in range(ROUNDS):
        k_top = (0, 1, entries)[n] if n < 3 else int(bed.rng.integers(entries + 1))
        await bed.pulse("clear", k_top=k_top)
        reverse = bed.block.reverse
        held = await fill(bed, k_top, int(bed.rng.integers(4 * entries)), to_the_brim=reverse)
        assert await empty(bed, held) == (held[::-1] if reverse else held)
        sent += len(held)
    assert sent > ROUNDS / 8


@cocotb.test(timeout_time=2, timeout_unit="us")
async def keeps_its_timing(dut) -> None:
    """Send an entry a cycle, from the first cycle of ``drain``."""
    bed = await Testbed(dut).start()
    entries = bed.block.entries
    bed.set(k_top=entries, insert=1, key=5)
    await bed.cycles(entries)
    bed.set(insert=0, drain=1)
    assert await bed.until("drained") == entries


@cocotb.test(timeout_time=2, timeout_unit="us")
async def reset_empties(dut) -> None:
    """Nothing is left after a reset."""
    bed = await Testbed(dut).start(k_top=1)
    bed.set(insert=1, key=5)
    await bed.cycles(3)
    await bed.settled()
    assert bed.get("full")
    bed.set(insert=0)
    await bed.restart()
    await bed.settled()
    assert not bed.get("full")
