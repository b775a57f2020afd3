"""cocotb bench for LookupTree: random rows and codes, and the largest sums of either sign."""

import cocotb
import numpy as np

from sim.kit.lookups import CODES, entry, random_row
from sim.kit.testbed import Testbed

COUNT = 1500


@cocotb.test(timeout_time=10, timeout_unit="us")
async def sums_entries(dut) -> None:
    """Add the entries that the codes pick."""
    bed = Testbed(dut)
    spec = bed.block.spec
    lanes = bed.block.lanes
    most = spec.numbers.entry_max
    got, expected = [], []
    for n in range(COUNT):
        rows = [random_row(bed.rng, spec) for _ in range(lanes)]
        codes = bed.rng.integers(CODES, size=lanes).tolist()
        if n < 4:  # the largest magnitudes, in every combination of signs of row and weight
            low = -most if n % 2 and not spec.numbers.symmetric else most
            for row in rows:
                row.update(entries=[low] * spec.entries)
                row.update({"sign": n % 2} if spec.numbers.symmetric else {})
            codes = [n // 2 * 8] * lanes
        got += await bed.evaluate("sum", rows=rows, weights=codes)
        expected.append(sum(entry(spec, *pair) for pair in zip(rows, codes, strict=True)))
    np.testing.assert_array_equal(got, expected)
    assert {-most * lanes, most * lanes} <= set(got)
