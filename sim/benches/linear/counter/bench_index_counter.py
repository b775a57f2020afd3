"""cocotb bench for IndexCounter: histograms of random pairs, and of equal ones."""

import cocotb
import numpy as np

from sim.kit.lookups import CODES
from sim.kit.testbed import Testbed


@cocotb.test(timeout_time=20, timeout_unit="us")
async def histograms(dut) -> None:
    """Each bin has as many pairs as fall into it and count."""
    bed = Testbed(dut)
    spec = bed.block.spec
    inputs = spec.counter_inputs
    ports = [f"counts__{n}" for n in range(spec.bins)]
    seen = np.zeros(spec.bins, np.int64)
    for n in range(spec.bins):
        rows = bed.rng.integers(1 << spec.row_bits, size=inputs)
        columns = bed.rng.integers(CODES, size=inputs)
        used = 1 | bed.rng.integers(1 << inputs) | ((1 << inputs) - 1) * int(n % 2)
        rows[0], columns[0] = divmod(n, CODES)
        if n % 3 == 0:
            rows[:], columns[:] = rows[0], columns[0]
        got = await bed.evaluate(
            *ports, rows=rows.tolist(), columns=columns.tolist(), used=int(used)
        )
        # All inputs but the last, and then the last.
        counts = np.array(got) % inputs + np.array(got) // inputs
        counted = [k for k in range(inputs) if used >> k & 1]
        expected = np.bincount((rows * CODES + columns)[counted], minlength=spec.bins)
        np.testing.assert_array_equal(counts, expected)
        seen += counts
    assert seen.all()
