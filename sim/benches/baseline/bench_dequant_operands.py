"""cocotb bench for DequantOperands: random codes and tables, and the largest magnitudes."""

import cocotb

from sim.kit.booth import digit_words, magnitudes
from sim.kit.testbed import Testbed

COUNT = 500
MOST = 127
DIGITS = 4


@cocotb.test(timeout_time=10, timeout_unit="us")
async def looks_up(dut) -> None:
    """Look magnitudes up and recode them; take those of all digits off the offset."""
    bed = Testbed(dut)
    block = bed.block
    for n in range(COUNT):
        codes = bed.rng.integers(16, size=block.inputs)
        table = bed.rng.integers(MOST, size=8, endpoint=True)
        if n < 2:
            table[:] = n * MOST
        got = await bed.evaluate(
            "digits",
            "offset",
            activations=codes.tolist(),
            activation_magnitudes=table.tolist(),
        )
        digits = [
            digit_words(int(table[code % 8]), DIGITS, negate=code >= 8) for code in codes.tolist()
        ]
        offset = block.products.offset_none - sum(map(magnitudes, digits))
        assert got == [digits, offset]
