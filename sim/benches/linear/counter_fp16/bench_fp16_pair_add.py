"""cocotb bench for Fp16PairAdd: numbers with and without pauses."""

import cocotb
import numpy as np

from golden.exact.fp16_arithmetic import add
from sim.kit.fp16_operands import patterns
from sim.kit.strobes import strobed
from sim.kit.testbed import Testbed

COUNT = 1000


@cocotb.parametrize(pause=[0.0, 0.4])
@cocotb.test(timeout_time=100, timeout_unit="us")
async def adds_pairs(dut, pause: float) -> None:
    """Give a sum for every two numbers, a fixed number of cycles after the second."""
    bed = await Testbed(dut).start()
    await strobed(bed, 0.0, i=patterns(bed.rng, 3).tolist())
    await bed.restart()  # with half a pair taken and a sum under way
    numbers = patterns(bed.rng, COUNT)
    sent, got, came = await strobed(bed, pause, i=numbers.tolist())
    np.testing.assert_array_equal(got, add(numbers[0::2], numbers[1::2]))
    np.testing.assert_array_equal(np.subtract(came, sent[1::2]), bed.block.LATENCY)
