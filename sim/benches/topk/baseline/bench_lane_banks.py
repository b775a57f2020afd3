"""cocotb bench for LaneBanks: sets with full, short and empty lanes, one read while one is kept."""

import cocotb

from sim.kit.testbed import Testbed

SETS = 30


@cocotb.test(timeout_time=50, timeout_unit="us")
async def keeps_lanes_apart(dut) -> None:
    """Give back what a lane took, in order, and then its end unless its bank is full."""
    bed = await Testbed(dut).start()
    lanes, rows = bed.block.spec.values_per_beat, bed.block.rows
    for n in range(SETS):
        shares = bed.rng.random(lanes)
        shares[bed.rng.integers(lanes)] = 1
        shares[bed.rng.integers(lanes)] = 0
        await bed.pulse("clear", half=n % 2)
        taken = await write(bed, rows if n % 3 == 0 else int(bed.rng.integers(1, rows)), shares)
        bed.set(half=1 - n % 2)
        for row in range(rows):
            bed.set(row=row)
            await bed.cycles()
            await bed.settled()
            for word, kept in zip(bed.get("words"), taken, strict=True):
                if row < len(kept):
                    assert word == {"entry": kept[row], "end": 0}
                elif row == len(kept):
                    assert word["end"] == 1


async def write(bed: Testbed, count: int, shares) -> list[list[dict[str, int]]]:
    """Offer rows; return what each lane has taken."""
    bits = bed.block.spec.position_bits
    taken: list[list[dict[str, int]]] = [[] for _ in shares]
    for _ in range(count):
        entries = [
            {"key": int(bed.rng.integers(-100, 100)), "position": int(bed.rng.integers(1 << bits))}
            for _ in shares
        ]
        takes = bed.rng.random(len(shares)) < shares
        for lane, (entry, take) in enumerate(zip(entries, takes, strict=True)):
            if take:
                taken[lane].append(entry)
        bed.set(entries=entries, take=sum(int(take) << lane for lane, take in enumerate(takes)))
        await bed.cycles()
    await bed.pulse("close", take=0)
    return taken
