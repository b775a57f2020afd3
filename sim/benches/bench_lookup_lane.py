"""cocotb bench for LookupLane: beats of either digit, with stalls between and in the stages."""

import cocotb
import numpy as np

from sim.bed.lookups import CODES, entry, random_row, whole
from sim.bed.testbed import Testbed

SUMS = 80


@cocotb.test(timeout_time=30, timeout_unit="us")
async def accumulates(dut) -> None:
    """Each total is the weighted sum of its beats; nothing moves unless it is told to."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    lanes, bits = spec.inputs_per_beat, spec.numbers.magnitude_bits
    total = 0
    group_sum, beat_sum, first, digit = 0, 0, 1, 0
    left = 0
    for _ in range(SUMS * 8):
        rows = [random_row(bed.rng, spec) for _ in range(lanes)]
        codes = bed.rng.integers(CODES, size=lanes).tolist()
        lookup, add, accumulate = bed.rng.random(3) < 0.7
        bed.set(
            rows=rows, weights=codes, lookup=int(lookup), add=int(add), accumulate=int(accumulate),
            first=first, digit=digit,
        )  # fmt: skip
        await bed.cycles()
        if accumulate:
            total = (0 if first else total) + (beat_sum << (bits * digit))
            left = left - 1 if left else int(bed.rng.integers(1, 8))
            first = int(left == 0)
            digit = 0 if first else int(bed.rng.integers(spec.numbers.residual_digits))
        if add:
            beat_sum = group_sum
        if lookup:
            group_sum = sum(entry(spec, *pair) for pair in zip(rows, codes, strict=True))
        await bed.settled()
        if total is not None:
            np.testing.assert_equal(whole(spec, bed.get("total")), total)
