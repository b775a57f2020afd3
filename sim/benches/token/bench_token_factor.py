"""cocotb bench for TokenFactor: products that round up and down, and every exponent there is."""

import cocotb
import numpy as np

from golden.exact.spec import MIN_SCALE_EXPONENT
from golden.exact.token_scale import TOKEN_FACTOR_EXPONENTS, Scale, times_factor
from sim.kit.codebooks import scale_word
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

COUNT = 400
LARGEST_EXPONENT = 20  # of a token scale


def random_pairs(rng: np.random.Generator) -> tuple[Scale, Scale]:
    """Return token scales and factors; some at the ends of their ranges, some ties."""
    mantissas = rng.integers(1024, 2048, (2, COUNT))
    mantissas[:, :100] = rng.choice([1024, 1025, 1536, 2047], (2, 100))
    factors = TOKEN_FACTOR_EXPONENTS
    ranges = (MIN_SCALE_EXPONENT, LARGEST_EXPONENT), (factors[0], factors[-1])
    exponents = np.array([rng.integers(low, high + 1, COUNT) for low, high in ranges])
    for row, ends in zip(exponents, ranges, strict=True):
        row[::3] = rng.choice(ends, len(row[::3]))
    scale, factor = (Scale(*pair) for pair in zip(mantissas, exponents, strict=True))
    return scale, factor


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def products(dut, traffic: str) -> None:
    """Each scale is multiplied by its own factor, whichever of the two is late."""
    bed = await Testbed(dut).start()
    scale, factor = random_pairs(bed.rng)
    expected = times_factor(scale, factor)
    words = {"i": scale, "factor_i": factor}
    await bed.send_anew(
        traffic, **{port: [scale_word(s, n) for n in range(COUNT)] for port, s in words.items()}
    )
    await bed.expect("o", [scale_word(expected, n) for n in range(COUNT)])
    if traffic == "free":
        bed.check_pipeline("i", "o", bed.block.latency)
