"""cocotb bench for CompensationProduct: random factors, small ones and the largest that fit."""

import cocotb
import numpy as np

from golden.exact.residual import residual_rows
from hw.linear.counter.compensation_product import MAGNITUDE_BITS
from sim.kit.counting import fitting_residuals
from sim.kit.testbed import Testbed

COUNT = 1500


@cocotb.test(timeout_time=40, timeout_unit="us")
async def multiplies(dut) -> None:
    """Products are those of the golden model."""
    bed = await Testbed(dut).start()
    spec, due = bed.block.spec, []
    for n in range(COUNT):
        centroid = int(bed.rng.integers(1 << MAGNITUDE_BITS)) >> int(
            bed.rng.integers(MAGNITUDE_BITS)
        )
        (residual,) = fitting_residuals(bed.rng, spec, centroid, (1,)) if n else (0,)
        rows = residual_rows(spec.numbers, np.array([[residual]]), np.array([centroid]))
        bed.set(residual=int(residual), centroid=centroid)
        due.append(int(rows.item()))
        await bed.cycles()
        await bed.settled()
        if len(due) == bed.block.LATENCY:
            assert bed.get("product") == due.pop(0)
