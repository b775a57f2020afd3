"""cocotb bench for IntegerOperands: random activations, none negative, all negative."""

import cocotb
import numpy as np

from hw.mac.product_sum import offset_base
from sim.bed.testbed import Testbed

COUNT = 500


@cocotb.test(timeout_time=10, timeout_unit="us")
async def finds_offset(dut) -> None:
    """The offset falls short of its base by the magnitudes of negative activations."""
    bed = Testbed(dut)
    block = bed.block
    bits = block.activation_bits - 1
    base = offset_base(block.inputs, bits, block.weight_bits)
    places = np.arange(block.inputs)
    for n in range(COUNT):
        magnitudes = bed.rng.integers(1 << bits, size=block.inputs)
        negative = bed.rng.integers(2, size=block.inputs)
        if n < 2:
            magnitudes[:], negative[:] = (1 << bits) - 1, n
        (offset,) = await bed.evaluate(
            "offset", magnitudes=magnitudes.tolist(), signs=int(negative @ (1 << places))
        )
        assert offset == (base - int(magnitudes @ negative)) & bed.mask("offset")
