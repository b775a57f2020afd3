"""cocotb bench for GroupScaler: outputs of several groups, in every traffic."""

import cocotb
import numpy as np

from hw.baseline.group_scaler import TURNS
from sim.kit.group_scales import random_scales
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

TILES = 12


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def scales_groups(dut, traffic: str) -> None:
    """Scale each group's sums and add them up, a group every few cycles if nobody pauses."""
    bed = await Testbed(dut).start()
    lanes, width = bed.block.spec.output_lanes, bed.block.spec.result.width
    sums, scales, expected = [], [], []
    for tile in range(TILES):
        groups = int(bed.rng.integers(1, 6))
        values = bed.rng.integers(-(1 << (width - 1)), 1 << (width - 1), (groups, lanes))
        more, outputs = random_scales(bed.rng, values, any_pattern=tile % 4 == 0)
        sums += values.tolist()
        scales += more
        expected.append(outputs)
    await bed.send_anew(traffic, i=sums, scale_i=scales)
    await bed.expect("o", expected)
    if traffic == "free":
        taken = np.array(bed.sources["scale_i"].taken_at)
        ends = [n for n, scale in enumerate(scales) if scale["last"]]
        latency = np.array(bed.sinks["o"].valid_at) - (taken[ends] - (TURNS - 1))
        np.testing.assert_array_equal(latency, bed.block.LATENCY)
        within = [n for n, scale in enumerate(scales) if not scale["last"]]
        apart = taken[np.array(within) + 1] - taken[within]
        waits = [scales[n + 1]["last"] for n in within]  # it may wait for outputs to be taken
        np.testing.assert_array_equal(apart[np.logical_not(waits)], TURNS)
