"""cocotb bench for OutlierJoin: tokens with ties, whose outliers stand on both sides."""

import cocotb

from sim.kit.testbed import Testbed
from sim.kit.tokens import outliers_of
from sim.kit.traffic import every_traffic

TOKENS = 60


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def joins(dut, traffic: str) -> None:
    """Send the largest, then the smallest, each marked if it came before."""
    bed = await Testbed(dut).start()
    for k_top in (1, 3, bed.block.spec.outliers_max):
        bed.set(k_top=k_top)
        tokens = [bed.rng.integers(-2, 3, int(bed.rng.integers(k_top, 9))) for _ in range(TOKENS)]
        outliers = [outliers_of(token, k_top) for token in tokens]
        sides = [
            [
                {"key": o["key"], "position": o["position"]}
                for token in outliers
                for o in token[part]
            ]
            for part in (slice(k_top), slice(k_top, None))
        ]
        for port, side in zip(("largest", "smallest"), sides, strict=True):
            bed.send(port, side)
        await bed.disturb()
        await bed.restart(traffic)
        for port, side in zip(("largest", "smallest"), sides, strict=True):
            bed.send(port, side)
        expected = [outlier for token in outliers for outlier in token]
        await bed.expect("o", expected)
        assert any(o["repeated"] for o in expected)
        if traffic == "free":
            bed.check_gapless("o")
