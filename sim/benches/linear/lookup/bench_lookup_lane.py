"""cocotb bench for LookupLane: beats of either digit, with pauses between."""

import cocotb
import numpy as np

from sim.kit.lookups import CODES, entry, random_row, whole, wrapped
from sim.kit.testbed import Testbed

SUMS = 80


@cocotb.test(timeout_time=30, timeout_unit="us")
async def accumulates(dut) -> None:
    """Each total is the weighted sum of its beats; what is no beat leaves it as it is."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    lanes, bits = spec.inputs_per_beat, spec.numbers.magnitude_bits
    total: int | None = None
    sums = [0] * (bed.block.LATENCY - 1)  # of what lies in the stages
    left = 0
    await bed.cycles(len(sums))  # with zeros, as they stand in sums
    for _ in range(SUMS * 8):
        rows = [random_row(bed.rng, spec) for _ in range(lanes)]
        codes = bed.rng.integers(CODES, size=lanes).tolist()
        valid = bed.rng.random() < 0.7
        first = valid and left == 0
        digit = int(bed.rng.integers(spec.residual_digits))
        bed.set(rows=rows, weights=codes, valid=int(valid), first=int(first), digit=digit)
        await bed.cycles()
        beat_sum = sums.pop(0)
        sums.append(sum(entry(spec, *pair) for pair in zip(rows, codes, strict=True)))
        if first:
            total, left = 0, int(bed.rng.integers(1, 8))
        if valid and total is not None:
            total += beat_sum << (bits * digit)
            left -= 1
        await bed.settled()
        if total is not None:
            np.testing.assert_equal(whole(spec, bed.get("total")), wrapped(total, spec.sum_bits))
