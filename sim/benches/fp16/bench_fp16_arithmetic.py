"""cocotb bench for the FP16 units that add and multiply, with registers and without."""

import cocotb
import numpy as np

from golden.exact.fp16 import BitArray
from golden.exact.fp16_arithmetic import add, fused_multiply_add, multiply
from hw.fp16.fp16_add import Fp16Add
from hw.fp16.fp16_fma import Fp16Fma
from hw.fp16.fp16_multiply import Fp16Multiply
from sim.kit.fp16_operands import corner_pairs, corner_triples, near, negated, patterns, sparse
from sim.kit.free_running import answers
from sim.kit.testbed import Testbed

COUNT = 1500  # of each kind
GOLDEN = {Fp16Fma: fused_multiply_add, Fp16Multiply: multiply, Fp16Add: add}


async def check(dut, operands: tuple[BitArray, ...]) -> None:
    """Compare each result with the golden function's, and its cycle with the block's latency."""
    bed = Testbed(dut)
    inputs = {name: bits.tolist() for name, bits in zip("abc", operands, strict=False)}
    got = await answers(bed, "o", **inputs)
    golden = GOLDEN[type(bed.block)]
    np.testing.assert_array_equal(got, golden(*operands))


def operands(bed: Testbed) -> int:
    """Return how many the block takes."""
    return 3 if isinstance(bed.block, Fp16Fma) else 2


@cocotb.test(timeout_time=100, timeout_unit="us")
async def any_patterns(dut) -> None:
    """Numbers of every size, signs, subnormals, infinities and NaN."""
    bed = Testbed(dut)
    await check(dut, tuple(patterns(bed.rng, COUNT) for _ in range(operands(bed))))


@cocotb.test(timeout_time=100, timeout_unit="us")
async def ties(dut) -> None:
    """Results halfway between two numbers, and just beside: the least of bits decides."""
    bed = Testbed(dut)
    terms = [sparse(bed.rng, 2 * COUNT) for _ in range(operands(bed))]
    terms[-1][::2] &= 0x8BFF  # far below the others
    await check(dut, tuple(terms))


@cocotb.test(timeout_time=100, timeout_unit="us")
async def cancellations(dut) -> None:
    """Last terms that are nearly the negative of the others: few bits are left, or zero."""
    bed = Testbed(dut)
    others = [patterns(bed.rng, COUNT) for _ in range(operands(bed) - 1)]
    others[0] = (others[0] & 0xBFFF).astype(np.uint16)  # not too large to cancel
    last = negated(multiply(*others) if len(others) == 2 else others[0])
    await check(dut, (*others, near(bed.rng, last)))


@cocotb.test(timeout_time=100, timeout_unit="us")
async def corners(dut) -> None:
    """Zeros, the smallest and the largest of each kind of number, with one another."""
    bed = Testbed(dut)
    if operands(bed) == 3:
        await check(dut, corner_triples(bed.rng, COUNT))
    else:
        await check(dut, corner_pairs())
