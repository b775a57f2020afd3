"""cocotb bench for SquareSum and PowerSum: vectors of every length, the largest sums."""

from typing import Any

import cocotb
import numpy as np

from golden.exact.fp16 import MAX_FINITE
from golden.exact.norms import power_sum, square_sum
from hw.vector.square_sum import START_BITS, SquareSum
from sim.kit.corners import finite
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

STARTS = (0, (1 << START_BITS) - 1, 0x5A5A5A5A5A)
# All bits below 2**16 but none twice, then the least: a carry goes through every section. The
# same with squares takes a start that is all ones, and 2**-15.
ONES = (0x7BF0, 0x5FFF, 0x33FF, 0x07FF, 0x0001)
LEAST_SQUARE = 0x0200


def vectors_of(bed: Testbed, count: int) -> list[np.ndarray]:
    """Return vectors as (beats, lanes): that of the largest sum, those of long carries, others."""
    lanes = bed.block.lanes
    longest = bed.block.longest // lanes
    lengths = bed.rng.integers(1, min(longest, 12), count, endpoint=True)
    largest = np.full((longest, lanes), MAX_FINITE | 0x8000, np.uint16)
    carry, square = np.zeros((len(ONES), lanes), np.uint16), np.zeros((1, lanes), np.uint16)
    carry[:, 0], square[0, -1] = ONES, LEAST_SQUARE
    return [largest, carry, square, *(finite(bed.rng, (beats, lanes)) for beats in lengths)]


def beats_of(vectors: list[np.ndarray]) -> list[dict[str, Any]]:
    """Return the beats of some vectors, one after another."""
    return [
        {"lanes": beat, "last": int(n == len(vector) - 1)}
        for vector in vectors
        for n, beat in enumerate(vector)
    ]


def starts(bed: Testbed, value: int) -> dict[str, int]:
    """Return what the block must be told to begin with."""
    return {"start": value} if isinstance(bed.block, SquareSum) else {}


def expected(bed: Testbed, vectors: list[np.ndarray], start: int) -> list[int]:
    """Return the sums that golden has."""
    if isinstance(bed.block, SquareSum):
        return [int(square_sum(vector.ravel(), start).integers()[()]) for vector in vectors]
    return [int(power_sum(vector.ravel())) for vector in vectors]


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def sums(dut, traffic: str) -> None:
    """Add up exactly from any start; a reset in the middle of a vector leaves nothing behind."""
    bed = await Testbed(dut).start()
    for start in STARTS:
        bed.set(**starts(bed, start))
        bed.send("i", beats_of(vectors_of(bed, 12))[:-1])
        await bed.disturb()
        await bed.restart(traffic)
        vectors = vectors_of(bed, 12)
        bed.send("i", beats_of(vectors))
        assert await bed.receive("o", len(vectors)) == expected(bed, vectors, start)
        if traffic == "free":
            ends = np.array(bed.sources["i"].taken_at)[np.cumsum([len(x) for x in vectors]) - 1]
            valid, before = bed.sinks["o"].valid_at, -bed.block.latency
            for end, at in zip(ends, valid, strict=True):
                assert at == max(end + bed.block.latency, before + bed.block.sections + 2)
                before = at


@cocotb.test(timeout_time=50, timeout_unit="us")
async def keeps_pace(dut) -> None:
    """Vectors that are no shorter than a sum takes follow each other without a pause."""
    bed = await Testbed(dut).start()
    bed.set(**starts(bed, STARTS[2]))
    beats = bed.block.sections + 2
    vectors = [finite(bed.rng, (beats, bed.block.lanes)) for _ in range(12)]
    bed.send("i", beats_of(vectors))
    assert await bed.receive("o", len(vectors)) == expected(bed, vectors, STARTS[2])
    np.testing.assert_array_equal(np.diff(bed.sources["i"].taken_at), 1)
