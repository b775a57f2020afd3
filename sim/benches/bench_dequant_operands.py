"""cocotb bench for DequantOperands: random codes and tables, and the largest magnitudes."""

import cocotb

from sim.bed.testbed import Testbed

COUNT = 500
MOST = 127


@cocotb.test(timeout_time=10, timeout_unit="us")
async def looks_up(dut) -> None:
    """Look magnitudes up, and take their sum off the offset."""
    bed = Testbed(dut)
    block = bed.block
    for n in range(COUNT):
        codes = bed.rng.integers(16, size=block.inputs)
        table = bed.rng.integers(MOST, size=8, endpoint=True)
        if n < 2:
            table[:] = n * MOST
        got = await bed.evaluate(
            "offset",
            "magnitudes",
            "signs",
            activations=codes.tolist(),
            activation_magnitudes=table.tolist(),
        )
        magnitudes = table[codes % 8]
        offset = (block.products.base - int(magnitudes.sum())) & bed.mask("offset")
        signs = sum(int(code) // 8 << k for k, code in enumerate(codes))
        assert got == [offset, magnitudes.tolist(), signs]
