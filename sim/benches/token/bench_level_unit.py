"""cocotb bench for LevelUnit: every step of the grid, with levels of all kinds."""

import cocotb
import numpy as np

from gateware.sizes import SNAPS
from golden.exact.grid import GRID
from golden.exact.levels import Form
from golden.exact.mapping import index_code
from sim.kit.levels import any_levels, level_ports
from sim.kit.testbed import Testbed

CASES = 60


@cocotb.test(timeout_time=200, timeout_unit="us")
async def snaps(dut) -> None:
    """Every code becomes its level's, with the sign that it had."""
    bed = Testbed(dut)
    index = np.arange(len(GRID))
    codes = index_code(index, len(GRID), symmetric=True, bits=8)
    forms = set()
    for _ in range(CASES):
        levels = any_levels(bed.rng, SNAPS)
        if not levels:
            continue
        forms.add(levels.form)
        bed.set(**level_ports(bed.rng, SNAPS, levels))
        snapped = index_code(levels.snapped(index), len(GRID), symmetric=True, bits=8)
        for code, wanted in zip(codes.tolist(), snapped.tolist(), strict=True):
            (got,) = await bed.evaluate("snapped", code=code)
            assert got == wanted, f"{code} with {levels}"
    assert forms == {Form.A4, Form.A5}
