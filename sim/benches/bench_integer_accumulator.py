"""cocotb bench for IntegerAccumulator: tiles of every length, with pauses, up to the limits."""

import cocotb

from sim.bed.testbed import Testbed

TERMS = 3000


@cocotb.test(timeout_time=60, timeout_unit="us")
async def accumulates(dut) -> None:
    """Add a tile's terms; what is not valid does not count."""
    bed = await Testbed(dut).start()
    block = bed.block
    most = 1 << (block.term_bits - 1)
    longest = 1 << (block.total_bits - block.term_bits)
    total, left, extreme = 0, 0, 0
    for _ in range(TERMS):
        valid, first = int(bed.rng.random() < 0.9), int(left == 0)
        term = extreme or int(bed.rng.integers(-most, most))
        bed.set(term=term, valid=valid, first=first)
        await bed.cycles()
        if valid:
            total = term + (0 if first else total)
            if first:
                left = int(bed.rng.integers(1, longest, endpoint=True))
                extreme = int(bed.rng.choice([0, -most]))
                left = longest - 1 if extreme else left
            left -= 1
            if not left:
                extreme = 0
        if valid or not first:
            await bed.settled()
            assert bed.get("total") == total
