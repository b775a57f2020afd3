"""cocotb bench for FiglutLane: random numbers, and the largest sums of either sign."""

import cocotb

from hw.baseline.figlut_lane import ENTRIES, GROUP
from sim.kit.lanes import lane_sums
from sim.kit.testbed import Testbed

COUNT = 800


def tables_of(x: list[int]) -> list[list[int]]:
    """Return the sums of each group of activations, its last one positive."""
    return [
        [
            x[k + 3] + sum(x[k + n] if entry >> n & 1 else -x[k + n] for n in range(GROUP - 1))
            for entry in range(ENTRIES)
        ]
        for k in range(0, len(x), GROUP)
    ]


@cocotb.test(timeout_time=30, timeout_unit="us")
async def sums_products(dut) -> None:
    """Multiply by looking bit planes up."""
    bed = Testbed(dut)
    lane = bed.block
    most = 1 << (lane.activation_bits - 1)
    at_once, later, expected = [], [], []
    for n in range(COUNT):
        x = bed.rng.integers(-most, most, lane.inputs)
        w = bed.rng.integers(-8, 8, lane.inputs)
        if n < 4:
            x[:], w[:] = (-most if n % 2 else most - 1), (-8 if n // 2 else 7)
        at_once.append({"weights": w.tolist()})
        offset = (lane.sums.base - int(x.sum())) & bed.mask("offset")
        later.append({"tables": tables_of(x.tolist()), "offset": offset})
        expected.append(int(x @ w))
    assert await lane_sums(bed, at_once, later) == expected
    assert most * 8 * lane.inputs in expected
