"""cocotb bench for IntegerOperands: random activations, none negative, all negative."""

import cocotb

from sim.bed.testbed import Testbed

COUNT = 500


@cocotb.test(timeout_time=10, timeout_unit="us")
async def finds_offset(dut) -> None:
    """Take the magnitudes of negative activations off the offset."""
    bed = Testbed(dut)
    block = bed.block
    bits = block.activation_bits - 1
    base = block.products.base
    for n in range(COUNT):
        magnitudes = bed.rng.integers(1 << bits, size=block.inputs)
        negative = bed.rng.integers(2, size=block.inputs)
        if n < 2:
            magnitudes[:], negative[:] = (1 << bits) - 1, n
        pairs = zip(magnitudes.tolist(), negative.tolist(), strict=True)
        got = await bed.evaluate(
            "offset",
            "magnitudes",
            "signs",
            activations=[{"magnitude": magnitude, "sign": sign} for magnitude, sign in pairs],
        )
        offset = (base - int(magnitudes @ negative)) & bed.mask("offset")
        signs = sum(int(sign) << k for k, sign in enumerate(negative))
        assert got == [offset, magnitudes.tolist(), signs]
