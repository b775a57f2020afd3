"""cocotb bench for Fp16Accumulator: tiles in turn, with pauses of whole rounds and of less."""

import cocotb
import numpy as np

from golden.exact.fp16_arithmetic import add
from golden.exact.mac import MINUS_ZERO
from sim.kit.fp16_operands import patterns
from sim.kit.testbed import Testbed

TERMS = 3000
LONGEST = 12


@cocotb.test(timeout_time=60, timeout_unit="us")
async def accumulates(dut) -> None:
    """Add each tile's terms to its own total; what is not valid leaves totals as they are."""
    bed = await Testbed(dut).start()
    turns = bed.block.LATENCY
    totals: list[int | None] = [None] * turns
    left = [0] * turns
    valid = first = 0
    coming: list[int | None] = [None] * turns  # what the adder will say, cycle by cycle
    for n, pattern in enumerate(patterns(bed.rng, TERMS)):
        turn = n % turns
        told_valid = int(bed.rng.random() < 0.7)
        following = (n + 1) % turns
        told_first = int(left[following] == 0) if told_valid else int(bed.rng.integers(2))
        bed.set(term=int(pattern), valid=told_valid, first=told_first)
        await bed.settled()
        if coming[turn] is not None:
            assert bed.get("total") == coming[turn]
        if valid:
            before = MINUS_ZERO if first else totals[turn]
            total = add(np.array([before], np.uint16), np.array([pattern], np.uint16))[0]
            totals[turn] = int(total)
        coming[turn] = totals[turn]
        if told_valid:
            left[following] = left[following] or int(bed.rng.integers(1, LONGEST, endpoint=True))
            left[following] -= 1
        valid, first = told_valid, told_first
        await bed.cycles()
