"""cocotb bench for CacheScale: sums of every length, and factors from tiny to 1."""

from typing import Any

import cocotb
import numpy as np

from golden.exact.cache_codes import LEAST_EXPONENT
from golden.exact.fp16 import MAX_FINITE, BitArray, flush_nonfinite
from golden.exact.spec import SCALE_BITS
from golden.exact.token_scale import Scale, ScaleFactor, token_scale
from sim.kit.codebooks import scale_word
from sim.kit.corners import finite
from sim.kit.fp16_operands import patterns
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

VECTORS = 12


def vectors(bed: Testbed) -> list[BitArray]:
    """Return vectors of whole beats: the largest, none at all, few numbers, any."""
    lanes, longest = bed.block.lanes, bed.block.numbers_max
    largest = np.full(longest, MAX_FINITE | 0x8000, np.uint16)
    made = [largest, np.zeros(lanes, np.uint16)]
    for n in range(VECTORS):
        count = lanes * int(bed.rng.integers(1, longest // lanes, endpoint=True))
        values = patterns(bed.rng, count) if n % 3 == 0 else finite(bed.rng, (count,))
        if n % 3 == 1:  # all of the sum's leading bits count, or there are not as many
            values[min(3, count) :] = 0
            values[:3] &= np.uint16(0xFFFF >> int(bed.rng.integers(16)))
        made.append(values)
    return made


def beats(lanes: int, vector: BitArray) -> list[dict[str, Any]]:
    """Return the beats of a vector."""
    parts = vector.reshape(-1, lanes)
    return [{"lanes": part, "last": int(n == len(parts) - 1)} for n, part in enumerate(parts)]


def clamped(vector: BitArray, factor: ScaleFactor) -> dict[str, int]:
    """Return the scale of a vector as it stands on a port, 2**-14 at least."""
    scale = token_scale(flush_nonfinite(vector)[None], factor)
    if scale.exponent[0] < LEAST_EXPONENT:
        scale = Scale(np.array([1 << (SCALE_BITS - 1)]), np.array([LEAST_EXPONENT]))
    return scale_word(scale)


@every_traffic
@cocotb.test(timeout_time=300, timeout_unit="us")
async def scales(dut, traffic: str) -> None:
    """Each vector gives its scale; a reset in the middle leaves nothing behind."""
    bed = await Testbed(dut).start()
    for factor in (
        ScaleFactor.mean(bed.block.numbers_max),
        ScaleFactor.mean(5),
        ScaleFactor((1 << 16) - 1, -16),
        ScaleFactor(1 << 15, -60),
    ):
        bed.set(factor={"mantissa": factor.mantissa, "exponent": factor.exponent})
        work = vectors(bed)
        items = [beat for vector in work for beat in beats(bed.block.lanes, vector)]
        await bed.send_anew(traffic, i=items)
        await bed.expect("o", [clamped(vector, factor) for vector in work])
        if traffic == "free":
            ends = np.cumsum([len(vector) // bed.block.lanes for vector in work]) - 1
            taken = np.array(bed.sources["i"].taken_at)[ends]
            np.testing.assert_array_equal(bed.sinks["o"].valid_at - taken, bed.block.latency)
            firsts = np.array(bed.sources["i"].taken_at)[ends[:-1] + 1]
            np.testing.assert_array_equal(firsts - bed.sinks["o"].taken_at[:-1], 1)
        await bed.restart(traffic)
