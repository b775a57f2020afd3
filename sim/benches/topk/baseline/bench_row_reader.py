"""cocotb bench for RowReader: a token, then what is left of it, pass after pass."""

import cocotb

from sim.kit.outlier_tokens import beats_of, tokens_of
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic


@every_traffic
@cocotb.test(timeout_time=400, timeout_unit="us")
async def narrows_down(dut, traffic: str) -> None:
    """Read in a pass what the last accepted one kept, whatever a refused one did."""
    bed = await Testbed(dut).start(traffic)
    tokens = tokens_of(bed, 1)
    bed.send("i", beats_of(bed, tokens))
    for token in tokens:
        invert = int(bed.rng.integers(2))
        flips = ((1 << bed.block.spec.position_bits) - 1) * invert
        left = {(int(key), position ^ flips) for position, key in enumerate(token)}
        bed.set(invert=invert, whole=1)
        await bed.until("some")
        for _ in range(4):
            kept, seen = await read(bed)
            assert seen == left
            accept = int(bed.rng.random() < 0.7)
            await bed.pulse("begin", "first", *["accept"] * accept)
            if accept:
                left = kept
                bed.set(whole=0)
        await bed.pulse("clear")


async def read(bed: Testbed) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Read all rows and keep some of their values; return those, and all."""
    kept, seen = set(), set()
    bed.set(read=1, first=1)
    over = False
    while not over:
        await bed.cycles()
        bed.set(first=0, keep=0)
        await bed.settled()
        if not bed.get("here"):
            continue
        valid, keep = bed.get("valid"), 0
        over = not valid
        for lane, entry in enumerate(bed.get("entries")):
            if valid >> lane & 1:
                value = entry["key"], entry["position"]
                seen.add(value)
                if bed.rng.random() < 0.6:
                    keep |= 1 << lane
                    kept.add(value)
        bed.set(keep=keep, read=int(not over), close=int(over))
    await bed.cycles()
    bed.set(close=0, keep=0)
    return kept, seen
