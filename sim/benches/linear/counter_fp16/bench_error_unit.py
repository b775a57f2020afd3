"""cocotb bench for ErrorUnit: outliers near their centroids, and far from them."""

import cocotb
import numpy as np

from golden.exact.counter_fp16 import CODES, error_units
from golden.exact.fp16_arithmetic import multiply
from sim.kit.corners import finite
from sim.kit.fp16_operands import near
from sim.kit.free_running import answers
from sim.kit.testbed import Testbed

COUNT = 800


@cocotb.test(timeout_time=100, timeout_unit="us")
async def subtracts(dut) -> None:
    """Each codebook is loaded once; all else changes in every cycle."""
    bed = await Testbed(dut).start()
    for _ in range(3):
        codebook = finite(bed.rng, (CODES,))
        codes = bed.rng.integers(CODES, size=COUNT)
        scale, x = finite(bed.rng, (COUNT,)), finite(bed.rng, (COUNT,))
        product = multiply(codebook[codes], scale)
        beside = near(bed.rng, product)  # little is left, or nothing
        chosen = (bed.rng.random(COUNT) < 0.5) & ((beside & 0x7C00) != 0x7C00)
        x = np.where(chosen, beside, x)
        live = bed.rng.random(COUNT) < 0.8
        bed.set(codebook=codebook.tolist())
        got = await answers(
            bed,
            "o",
            code=codes.tolist(),
            x=x.tolist(),
            scale=scale.tolist(),
            live=live.astype(int).tolist(),
        )
        np.testing.assert_array_equal(got, error_units(x, scale, codebook[codes], live))
