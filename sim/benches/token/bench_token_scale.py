"""cocotb bench for TokenScale: sums of every length, and factors of every layer size."""

import cocotb
import numpy as np

from golden.exact.fp16 import BitArray, units
from golden.exact.token_scale import ScaleFactor, token_scale
from sim.kit.codebooks import scale_word
from sim.kit.corners import finite
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

TOKENS = 80


def tokens(bed: Testbed) -> BitArray:
    """Return tokens, most with few inputs that count; among them zero and the largest."""
    inputs = bed.block.spec.inputs_max
    x = np.zeros((TOKENS, inputs), np.uint16)
    for n, row in enumerate(x):
        count = min(n, inputs) if n < 12 else int(bed.rng.integers(1, inputs + 1))
        row[:count] = finite(bed.rng, (count,))
    x[1] = 0x7BFF
    x[2, 0] = 1
    x[3] = 0x0001
    x[:, 16:][20:] = 0  # few numbers: all of the sum's leading bits count
    return x


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def scales(dut, traffic: str) -> None:
    """Each sum gives its scale, for several factors."""
    bed = await Testbed(dut).start()
    inputs = bed.block.spec.inputs_max
    for factor in (
        ScaleFactor.mean(inputs),
        ScaleFactor.mean(384),
        ScaleFactor.mean(5),
        ScaleFactor.mean(inputs, 4),
        ScaleFactor((1 << 16) - 1, -27),
    ):
        bed.set(factor={"mantissa": factor.mantissa, "exponent": factor.exponent})
        x = tokens(bed)
        sums = total_units(x)
        await bed.send_anew(traffic, i=sums)
        got = await bed.receive("o", TOKENS)
        scale = token_scale(x, factor)
        assert got == [scale_word(scale, n) for n in range(TOKENS)]
        if traffic == "free":
            bed.check_pipeline("i", "o", bed.block.latency)


def total_units(x: BitArray) -> list[int]:
    """Return each token's sum of absolute values."""
    return units(x).sum(axis=1).tolist()
