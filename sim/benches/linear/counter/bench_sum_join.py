"""cocotb bench for SumJoin: tiles with and without compensation."""

import cocotb
import numpy as np

from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

COUNT = 60


def random_tiles(bed: Testbed, bits: int) -> np.ndarray:
    """Return tiles of sums, some of the largest."""
    most = (1 << (bits - 1)) - 1
    shape = COUNT, bed.block.spec.output_lanes
    tiles = bed.rng.integers(-most, most, shape, endpoint=True)
    return np.where(bed.rng.random(shape) < 0.1, bed.rng.choice([-most, most], shape), tiles)


@every_traffic
@cocotb.test(timeout_time=40, timeout_unit="us")
async def joins(dut, traffic: str) -> None:
    """Add tile by tile; without outliers pass on what there is."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    for compensated in (1, 0):
        main = random_tiles(bed, spec.main_bits - 1)
        outliers = random_tiles(bed, spec.compensation_bits - 1)
        bed.set(compensated=compensated)
        bed.send("i", main.tolist())
        bed.send("compensation_i", outliers.tolist())
        await bed.disturb()
        await bed.restart(traffic)
        bed.set(compensated=compensated)
        bed.send("i", main.tolist())
        if compensated:
            bed.send("compensation_i", outliers.tolist())
        expected = main + outliers * compensated
        got = [
            [lane["sum"] + (lane["carry"] << spec.carry_place) for lane in tile]
            for tile in await bed.receive("o", COUNT)
        ]
        np.testing.assert_array_equal(got, expected)
        if traffic == "free":
            bed.check_pipeline("i", "o", bed.block.LATENCY)
