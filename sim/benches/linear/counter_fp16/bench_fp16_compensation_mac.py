"""cocotb bench for Fp16CompensationMac: sums of all slots side by side, with idle turns between."""

import cocotb
import numpy as np

from golden.exact.counter_fp16 import compensation
from sim.kit.corners import finite
from sim.kit.fp16_operands import patterns
from sim.kit.testbed import Testbed

OUTLIERS = 25
MAKE = {
    "usual": lambda rng, count: finite(rng, (count,)),
    "any": patterns,
    # Zero or nearly so: sums are zeros of either sign, which idle turns must not change.
    "tiny": lambda rng, count: patterns(rng, count) & np.uint16(0x8001),
}


@cocotb.parametrize(kind=["usual", "any", "tiny"])
@cocotb.test(timeout_time=200, timeout_unit="us")
async def accumulates(dut, kind: str) -> None:
    """Every slot has its sum after the last outlier; sums begin anew without a pause."""
    bed = await Testbed(dut).start()
    slots = bed.block.slots
    make = MAKE[kind]
    for _ in range(40 if kind == "tiny" else 4):
        outliers = int(bed.rng.integers(1, 4 if kind == "tiny" else OUTLIERS))
        errors = make(bed.rng, outliers)
        weights = make(bed.rng, outliers * slots).reshape(outliers, slots)
        got = []
        cases = turns(bed.rng, errors, weights)
        cases += [(0, 0, 0, 0, 0)] * bed.block.LATENCY
        bed.set(live=cases[0][2], first=cases[0][3])
        await bed.cycles()
        for n, (error, weight, *_) in enumerate(cases):
            live, first = cases[n + 1][2:4] if n + 1 < len(cases) else (0, 0)
            bed.set(error=int(error), weight=int(weight), live=live, first=first)
            await bed.settled()
            earlier = n - bed.block.LATENCY
            if earlier >= 0 and cases[earlier][-1]:
                got.append(bed.get("total"))
            await bed.cycles()
        np.testing.assert_array_equal(got, compensation(errors[None], weights[None])[0])


def turns(
    rng: np.random.Generator, errors: np.ndarray, weights: np.ndarray
) -> list[tuple[int, int, int, int, int]]:
    """Return error, weight, live, first and last of each cycle; some rounds of slots are idle."""
    found = []
    slots = weights.shape[1]
    for n, error in enumerate(errors):
        while n and rng.random() < 0.5:
            noise = patterns(rng, 2 * slots).reshape(slots, 2)
            found += [(error, weight, 0, 0, 0) for error, weight in noise]
        last = int(n == len(errors) - 1)
        found += [(error, weight, 1, int(n == 0), last) for weight in weights[n]]
    return found
