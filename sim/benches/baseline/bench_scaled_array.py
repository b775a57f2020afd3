"""cocotb bench for ScaledArray: layers of several groups, in every traffic."""

import cocotb
import numpy as np

from sim.kit.group_scales import random_scales
from sim.kit.mac_layers import MacLayer
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

SHAPES = ((8, 3, 3), (8, 5, 2), (1, 2, 3), (9, 1, 3))  # beats of a group, groups, tiles
BEATS = 8  # of a group that lets beats come without a gap


@every_traffic
@cocotb.test(timeout_time=150, timeout_unit="us")
async def scales_groups(dut, traffic: str) -> None:
    """Every output is the sum of its groups; beats come one a cycle if nobody pauses."""
    bed = await Testbed(dut).start()
    for beats, groups, tiles in SHAPES:
        layer = MacLayer(bed.rng, bed.block.spec, beats, groups * tiles)
        sums = np.array(layer.sums()).reshape(tiles, groups, -1)
        made = [random_scales(bed.rng, tile) for tile in sums]
        scales = [scale for tile, _ in made for scale in tile]
        await bed.restart()
        await bed.send_anew(traffic, i=list(layer.stream()), scale_i=scales)
        assert await bed.receive("o", tiles) == [outputs for _, outputs in made]
        if traffic == "free" and beats == BEATS and groups > 3:
            # The first groups may have to wait for their turn; from then on it comes in time.
            np.testing.assert_array_equal(np.diff(bed.sources["i"].taken_at)[3 * BEATS :], 1)
