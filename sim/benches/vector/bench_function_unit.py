"""cocotb bench for FunctionUnit; ``sim.harness.function_sweep`` tries it on every number."""

import cocotb
import numpy as np

from golden.exact.fp16 import to_bits
from hw.vector.function_unit import KNOWN
from sim.kit.fp16_operands import CORNERS, near, patterns
from sim.kit.free_running import answers
from sim.kit.testbed import Testbed

COUNT = 400  # of each kind


def inputs(rng: np.random.Generator) -> np.ndarray:
    """Return any patterns, small numbers, and those around powers of two."""
    powers = to_bits(np.array([1.0, -1.0])[:, None] * 2.0 ** np.arange(-24, 16))
    any_pattern, small = patterns(rng, COUNT), to_bits(rng.normal(0, 4, COUNT))
    return np.concatenate([any_pattern, small, near(rng, powers.ravel()), powers.ravel(), CORNERS])


@cocotb.test(timeout_time=200, timeout_unit="us")
async def functions(dut) -> None:
    """Another function for each number: each has its own answer, in its own cycle."""
    bed = Testbed(dut)
    names = bed.block.functions
    bits = bed.rng.permutation(np.tile(inputs(bed.rng), 2))
    which = bed.rng.integers(len(names), size=len(bits))
    results = np.stack([KNOWN[name](bits) for name in names])
    expected = results[which, np.arange(len(bits))]
    select = {"function": which.tolist()} if len(names) > 1 else {}
    got = await answers(bed, "o", i=bits.tolist(), **select)
    np.testing.assert_array_equal(got, expected)
