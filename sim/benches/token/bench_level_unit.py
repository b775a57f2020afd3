"""cocotb bench for LevelUnit: every step of the grid, with levels of all kinds."""

import cocotb
import numpy as np

from gateware.sizes import SNAPS
from golden.exact.grid import GRID
from golden.exact.levels import Form
from golden.exact.mapping import index_code
from sim.kit.levels import any_levels, level_ports, random_levels
from sim.kit.testbed import Testbed

CASES = 60
SIGN = 128


@cocotb.test(timeout_time=200, timeout_unit="us")
async def snaps(dut) -> None:
    """Every code becomes its level's, with the sign that it had."""
    bed = Testbed(dut)
    index = np.arange(len(GRID))
    codes = index_code(index, len(GRID), symmetric=True, bits=8)
    forms = set()
    for _ in range(CASES):
        form = Form(int(bed.rng.integers(1, len(Form))))
        levels = any_levels(bed.rng, SNAPS) or random_levels(bed.rng, form)
        assert levels
        forms.add(levels.form)
        bed.set(**level_ports(bed.rng, SNAPS, levels))
        snapped = index_code(levels.snapped(index), len(GRID), symmetric=True, bits=8)
        snapped |= codes & SIGN  # of level 0, too
        for code, wanted in zip(codes.tolist(), snapped.tolist(), strict=True):
            (got,) = await bed.evaluate("snapped", code=code)
            assert got == wanted, f"{code} with {levels}"
    assert forms == {Form.A4, Form.A5}
