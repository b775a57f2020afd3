"""cocotb bench for Fp16TokenScale: every exponent, with mantissas at ties and beside."""

import cocotb
import numpy as np

from golden.exact.fp16 import to_bits
from golden.exact.token_scale import Scale
from sim.kit.codebooks import scale_word
from sim.kit.free_running import answers
from sim.kit.testbed import Testbed


@cocotb.test(timeout_time=100, timeout_unit="us")
async def rounds(dut) -> None:
    """Subnormal, normal and infinite results."""
    bed = await Testbed(dut).start()
    usual = np.concatenate([[1024, 1025, 1536, 2047], bed.rng.integers(1024, 2048, 20)])
    ties = 1024 + (1 << np.arange(10))  # halves of the last place that a subnormal keeps
    mantissas = np.concatenate([usual, ties, ties - 1, ties + 1, 2048 - (1 << np.arange(10))])
    mantissa, exponent = (part.ravel() for part in np.meshgrid(mantissas, np.arange(-64, 64)))
    scale = Scale(mantissa, exponent)
    words = [scale_word(scale, n) for n in range(len(mantissa))]
    got = await answers(bed, "o", i=words)
    np.testing.assert_array_equal(got, to_bits(scale.value()))
