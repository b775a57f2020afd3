"""cocotb bench for DequantUnit: every code of a few codebooks, with scales of every kind."""

import cocotb
import numpy as np

from golden.exact.counter_fp16 import CODES, dequantised
from sim.kit.fp16_operands import CORNERS, patterns
from sim.kit.free_running import answers
from sim.kit.testbed import Testbed

COUNT = 400


@cocotb.test(timeout_time=100, timeout_unit="us")
async def dequantises(dut) -> None:
    """Each codebook is loaded once; codes and scales change in every cycle."""
    bed = await Testbed(dut).start()
    for codebook in (patterns(bed.rng, CODES), patterns(bed.rng, CODES), CORNERS[:CODES]):
        scales = np.concatenate([patterns(bed.rng, COUNT), CORNERS])
        codes = bed.rng.integers(CODES, size=len(scales))
        bed.set(codebook=codebook.tolist())
        got = await answers(bed, "o", code=codes.tolist(), scale=scales.tolist())
        np.testing.assert_array_equal(got, dequantised(codebook[codes], scales))
