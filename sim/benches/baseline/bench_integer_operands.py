"""cocotb bench for IntegerOperands: random activations, and the largest of either sign."""

import cocotb

from sim.kit.booth import digit_words, magnitudes
from sim.kit.testbed import Testbed

COUNT = 500


@cocotb.test(timeout_time=10, timeout_unit="us")
async def recodes(dut) -> None:
    """Recode activations; take the magnitudes of negative digits off the offset."""
    bed = Testbed(dut)
    block = bed.block
    most = 1 << (block.activation_bits - 1)
    for n in range(COUNT):
        x = bed.rng.integers(-most, most, block.inputs)
        if n < 2:
            x[:] = -most if n else most - 1
        digits = [digit_words(value, block.activation_bits // 2) for value in x.tolist()]
        added = sum(magnitudes(words, negative_only=True) for words in digits)
        offset = block.products.offset_none - added
        assert await bed.evaluate("digits", "offset", activations=x.tolist()) == [digits, offset]
