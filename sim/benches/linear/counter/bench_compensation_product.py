"""cocotb bench for CompensationProduct: random factors, small and large ones, beyond the range."""

import cocotb
import numpy as np

from golden.exact.residual import residual_rows
from hw.linear.counter.compensation_product import MAGNITUDE_BITS
from hw.token.outlier_residual import RESIDUAL_BITS
from sim.kit.testbed import Testbed

COUNT = 1500


@cocotb.test(timeout_time=40, timeout_unit="us")
async def multiplies(dut) -> None:
    """Products are those of the golden model, and so is whether they are beyond."""
    bed = await Testbed(dut).start()
    bits = np.array([[RESIDUAL_BITS], [MAGNITUDE_BITS]])
    factors = bed.rng.integers(1 << bits, size=(2, COUNT))
    factors >>= bed.rng.integers(bits, size=(2, COUNT))
    factors[:, :4] = [[0, (1 << RESIDUAL_BITS) - 1, 1 << 21, 1], [5, (1 << 15) - 1, 1 << 14, 1]]
    told = set()
    due: list[tuple[int, bool]] = []
    for residual, centroid in factors.T:
        rows, clipped = residual_rows(
            bed.block.spec.numbers, np.array([[residual]]), np.array([centroid])
        )
        bed.set(residual=int(residual), centroid=int(centroid))
        due.append((int(rows.item()), bool(clipped.item())))
        await bed.cycles()
        await bed.settled()
        if len(due) == bed.block.LATENCY:
            product, beyond = due.pop(0)
            assert (bed.get("product"), bed.get("clipped")) == (product, beyond)
            told.add(beyond)
    assert told == {False, True}
