"""cocotb bench for IntegerAccumulator: tiles of every length, with pauses, up to the limits."""

import cocotb

from sim.kit.testbed import Testbed

TERMS = 3000


@cocotb.test(timeout_time=60, timeout_unit="us")
async def accumulates(dut) -> None:
    """Add a tile's terms; what is not valid does not count."""
    bed = await Testbed(dut).start()
    block = bed.block
    most = 1 << (block.term_bits - 1)
    longest = 1 << (block.total_bits - block.term_bits)
    total, left, extreme = 0, 0, False
    valid = first = 0
    due: list[int | None] = [None] * block.latency
    for _ in range(TERMS):
        term = -most if extreme else int(bed.rng.integers(-most, most))
        told_valid = int(bed.rng.random() < 0.9)
        told_first = int(left == 0) if told_valid else int(bed.rng.integers(2))
        bed.set(term=term, valid=told_valid, first=told_first)
        if valid:  # what was said before
            total = term + (0 if first else total)
        due.append(total if valid else None)
        now = due.pop(0)
        if now is not None:
            await bed.settled()
            assert bed.get("total") == now
        valid, first = told_valid, told_first
        if valid:
            if first:
                extreme = bool(bed.rng.random() < 0.5)
                left = longest if extreme else int(bed.rng.integers(1, longest, endpoint=True))
            left -= 1
        await bed.cycles()
