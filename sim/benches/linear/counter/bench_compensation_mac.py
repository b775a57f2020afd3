"""cocotb bench for CompensationMac: channels of any number of outliers, with cycles between."""

import cocotb
import numpy as np

from golden.exact.residual import residual_rows
from sim.kit.codebooks import random_centroids, stored, weight_words
from sim.kit.counting import fitting_residuals
from sim.kit.lookups import CODES, wrapped
from sim.kit.testbed import Testbed

CHANNELS = 60


@cocotb.test(timeout_time=40, timeout_unit="us")
async def accumulates(dut) -> None:
    """Have the sum of a channel's products when it should be there."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    symmetric = spec.numbers.symmetric
    centroids = random_centroids(bed.rng, 16, symmetric=symmetric)
    held = np.array(stored(centroids, symmetric=symmetric))
    values = np.concatenate([held, -held]) if symmetric else held
    bed.set(w_centroids=weight_words(spec, held))
    due: list[int | None] = []
    code = int(bed.rng.integers(CODES))
    for _ in range(CHANNELS):
        total = 0
        for n in range(int(bed.rng.integers(1, 2 * spec.outliers_max, endpoint=True))):
            gap = bed.rng.random() < 0.2
            magnitude = (
                0 if gap else int(fitting_residuals(bed.rng, spec, np.abs(held).max(), (1,))[0])
            )
            negative = 0 if gap else int(bed.rng.integers(2))
            residual = np.array([[-magnitude if negative else magnitude]])
            rows = residual_rows(spec.numbers, residual, values[[code]])
            total += int(rows.item())
            bed.set(
                weight=code,
                residual={"magnitude": magnitude, "negative": negative},
                first=int(n == 0),
            )
            code = int(bed.rng.integers(CODES))
            due.append(total)
            await bed.cycles()
            await bed.settled()
            if len(due) > bed.block.LATENCY - 1:
                total_then = due[-bed.block.LATENCY]
                assert bed.get("total") == wrapped(total_then, spec.compensation_bits)
