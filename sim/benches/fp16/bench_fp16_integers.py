"""cocotb bench for Fp16FromInteger and Fp16ToInteger, with registers and without."""

import cocotb
import numpy as np

from golden.exact.fp16 import to_bits
from golden.exact.fp16_arithmetic import from_integer, to_integer
from hw.fp16.fp16_from_integer import Fp16FromInteger
from sim.kit.fp16_operands import CORNERS, near, patterns
from sim.kit.free_running import answers
from sim.kit.testbed import Testbed

COUNT = 3000


@cocotb.test(timeout_time=200, timeout_unit="us")
async def converts(dut) -> None:
    """Every number, or many of each size; ties, and both ends of the range."""
    bed = Testbed(dut)
    block = bed.block
    if isinstance(block, Fp16FromInteger):
        values = integers(bed.rng, block.width)
        expected = from_integer(values)
    else:
        halves = to_bits(np.arange(-600, 600) / 2)
        ends = to_bits(np.array([-1.0, 1.0]) * 2.0 ** (block.width - 1))
        values = np.concatenate([patterns(bed.rng, COUNT), halves, near(bed.rng, ends), CORNERS])
        expected = to_integer(values, block.width)
    got = await answers(bed, "o", i=values.tolist())
    np.testing.assert_array_equal(got, expected)


def integers(rng: np.random.Generator, width: int) -> np.ndarray:
    """Return integers of every length, of up to 12 bits all."""
    limit = 1 << (width - 1)
    some = rng.integers(-limit, limit, COUNT) >> rng.integers(0, width, COUNT)
    small = np.arange(max(-limit, -2048), min(limit, 2048))
    ends = np.array([-limit, 1 - limit, limit - 1])
    return np.concatenate([some, small, ends])
