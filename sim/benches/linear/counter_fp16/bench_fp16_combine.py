"""cocotb bench for Fp16Combine: all operands change in every cycle."""

import cocotb
import numpy as np

from golden.exact.counter_fp16 import combine
from golden.exact.fp16_arithmetic import add, multiply
from sim.kit.corners import finite
from sim.kit.fp16_operands import near, negated, patterns
from sim.kit.free_running import answers
from sim.kit.testbed import Testbed

COUNT = 1500


@cocotb.test(timeout_time=100, timeout_unit="us")
async def combines(dut) -> None:
    """Any patterns; and numbers that cancel at each of the two sums."""
    bed = await Testbed(dut).start()
    for make in (patterns, lambda rng, count: finite(rng, (count,))):
        names = ("main", "scale", "w_scale", "compensation", "bias")
        operands = {name: make(bed.rng, COUNT) for name in names}
        scaled = multiply(multiply(operands["main"], operands["scale"]), operands["w_scale"])
        kind = bed.rng.integers(3, size=COUNT)
        operands["compensation"] = np.where(
            kind == 0, near(bed.rng, negated(scaled)), operands["compensation"]
        )
        total = add(scaled, operands["compensation"])
        operands["bias"] = np.where(kind == 1, near(bed.rng, negated(total)), operands["bias"])
        got = await answers(
            bed,
            "o",
            **{name: values.tolist() for name, values in operands.items()},
        )
        np.testing.assert_array_equal(got, combine(*operands.values()))
