"""cocotb bench for OutlierResidual: ratios of all sizes, ties of clusters, repeated outliers."""

import cocotb
import numpy as np

from golden.exact.residual import ratio
from sim.kit.codebooks import random_scales
from sim.kit.outlier_case import OutlierCase
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

TOKENS, OUTLIERS = 10, 30


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def finds_residuals(dut, traffic: str) -> None:
    """Tell magnitude and sign of each; a reset leaves nothing behind."""
    bed = await Testbed(dut).start()
    for scale in random_scales(bed.rng, TOKENS):
        case = OutlierCase(bed, scale, OUTLIERS)
        case.set(bed)
        await bed.send_anew(traffic, i=case.items)
        got = await bed.receive("o", OUTLIERS)

        quotient = ratio(case.x[None], scale)
        residual = np.where(case.again, 0, quotient[0] - case.centroid)
        told = [(-1) ** r["negative"] * r["magnitude"] for r in got]
        np.testing.assert_array_equal(told, residual)
        np.testing.assert_array_equal([r["position"] for r in got], case.position)
        if traffic == "free":
            bed.check_pipeline("i", "o", bed.block.latency)
