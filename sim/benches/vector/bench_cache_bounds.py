"""cocotb bench for CacheBounds: every threshold, scales from the least to beyond FP16."""

import cocotb
import numpy as np

from golden.exact.cache_codes import LEAST_EXPONENT, MAGNITUDES, threshold_bounds
from golden.exact.spec import GRID_MAX, SCALE_BITS
from golden.exact.token_scale import Scale
from sim.kit.codebooks import scale_word
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

MOST_EXPONENT = 22  # of the largest sum of 65536 numbers
LEAST, MOST = 1 << (SCALE_BITS - 1), (1 << SCALE_BITS) - 1
CORNERS = [
    (mantissa, exponent)
    for mantissa in (LEAST, MOST)
    for exponent in (LEAST_EXPONENT, LEAST_EXPONENT + 5, 5, MOST_EXPONENT)
]


def scales(bed: Testbed, count: int) -> Scale:
    """Return corners, and others by chance, most of them small or large."""
    rng = bed.rng
    exponents = np.concatenate(
        [
            rng.integers(LEAST_EXPONENT, MOST_EXPONENT, count, endpoint=True),
            rng.integers(LEAST_EXPONENT, LEAST_EXPONENT + 6, count),
            rng.integers(1, 8, count),
        ]
    )
    mantissas = rng.integers(LEAST, MOST, len(exponents), endpoint=True)
    corners = np.array(CORNERS).T
    return Scale(np.append(corners[0], mantissas), np.append(corners[1], exponents))


@every_traffic
@cocotb.test(timeout_time=200, timeout_unit="us")
async def bounds(dut, traffic: str) -> None:
    """Each scale gives its seven bounds; a reset leaves nothing of the one before."""
    bed = await Testbed(dut).start()
    every = np.arange(1, GRID_MAX + 1)
    for first in range(0, GRID_MAX, 30):
        thresholds = np.resize(every[first:], MAGNITUDES - 1)
        if first:
            thresholds = np.sort(bed.rng.choice(every, MAGNITUDES - 1))
        bed.set(thresholds=thresholds)
        found = scales(bed, 6)
        words = [scale_word(found, n) for n in range(len(found.mantissa))]
        await bed.send_anew(traffic, i=words)
        expected = threshold_bounds(thresholds, found).tolist()
        got = await bed.receive("o", len(expected))
        assert [list(one) for one in got] == expected
        if traffic == "free":
            bed.check_pipeline("i", "o", bed.block.BEHIND, interval=bed.block.LATENCY + 1)
        await bed.restart(traffic)
