"""cocotb bench for CacheQuantizer: vectors of every kind, one after another."""

from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np

from golden.exact.cache_codes import CacheFormat, cache_codes
from golden.exact.fp16 import MAX_FINITE, BitArray, to_bits
from golden.exact.spec import GRID_MAX, IntArray
from golden.exact.token_scale import ScaleFactor
from sim.kit.corners import FINITE, finite
from sim.kit.fp16_operands import patterns
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic
from sim.kit.vector_memory import VectorMemory

VECTORS = 12


class Work:
    """A vector in the memory, its instruction, and what is kept of it."""

    def __init__(
        self,
        bed: Testbed,
        memory: VectorMemory,
        at: int,
        vector: BitArray,
        *,
        on_bounds: bool = False,
    ) -> None:
        rng, self.lanes = bed.rng, bed.block.spec.lanes
        times = int(rng.integers(1, 5))
        mean = mean_of(len(vector), times)
        factor = (mean, ScaleFactor((1 << 16) - 1, -16), ScaleFactor(1 << 15, -40))
        chosen = factor[int(rng.choice(3, p=[0.8, 0.1, 0.1]))]
        limits = np.sort(rng.integers(1, int(rng.choice([9, GRID_MAX])), 7, endpoint=True))
        if on_bounds:
            chosen, vector = mean_of(len(vector)), numbers_on_bounds(limits, len(vector))
        memory.put(at, vector)
        self.instruction = {
            "a": at,
            "count": len(vector),
            "factor": {"mantissa": chosen.mantissa, "exponent": chosen.exponent},
            "thresholds": limits.tolist(),
        }
        form = CacheFormat(chosen, limits, np.zeros(8, np.int64))
        codes, scale = cache_codes(vector[None], form)
        self.codes, self.scale = codes[0], int(scale[0])

    @property
    def items(self) -> list[dict[str, Any]]:
        """What comes out."""
        parts = self.codes.reshape(-1, self.lanes)
        return [
            {"codes": part.tolist(), "last": int(n == len(parts) - 1)}
            for n, part in enumerate(parts)
        ]


def mean_of(count: int, times: int = 1) -> ScaleFactor:
    """Return the factor whose scale is so many times the mean."""
    return ScaleFactor.mean(max(count, times), times)


def numbers_on_bounds(limits: IntArray, count: int) -> BitArray:
    """Return numbers with a mean of 1, as many on bounds of thresholds as there is room for."""
    bounds = np.array([half for half in (2 * limits - 1) / 32 if half < 2])[: count // 2]
    pairs = np.concatenate([bounds, 2 - bounds])
    return to_bits(np.concatenate([pairs, np.ones(count - len(pairs))]))


def works(bed: Testbed, memory: VectorMemory) -> list[Work]:
    """Return vectors one behind the other: zeros, all equal, the largest, on bounds, any."""
    spec = bed.block.spec
    most = min(bed.block.numbers_max // spec.word_lanes, spec.words // VECTORS)
    result, place = [], 0
    for n in range(VECTORS):
        words = most if n == 2 else int(bed.rng.integers(1, most, endpoint=True))
        count = words * spec.word_lanes
        values = (finite(bed.rng, (count,)), patterns(bed.rng, count))[n % 2]
        if n < 3:
            values = np.full(count, (0, bed.rng.choice(FINITE), MAX_FINITE)[n], np.uint16)
        result.append(Work(bed, memory, place, values, on_bounds=n % 4 == 3))
        place += words
    return result


async def instruct(bed: Testbed, work: Sequence[Work]) -> list[int]:
    """Send instructions; return the scale that stands when the last code of each is taken."""
    scales: list[int] = []

    async def watch() -> None:
        while True:
            await bed.settled()
            if bed.port("o__valid") and bed.port("o__ready") and bed.item("o")["last"]:
                scales.append(bed.get("scale"))
            await bed.cycles()

    bed.tasks.append(cocotb.start_soon(watch()))
    bed.send("i", [one.instruction for one in work])
    return scales


@every_traffic
@cocotb.test(timeout_time=400, timeout_unit="us")
async def quantizes(dut, traffic: str) -> None:
    """Each vector gives its codes and its scale, in order, and no more."""
    bed = await Testbed(dut).start()
    memory = VectorMemory(bed)
    work = works(bed, memory)
    memory.serve()
    await instruct(bed, work)
    await bed.disturb()
    await bed.restart(traffic)
    memory.serve()
    scales = await instruct(bed, work)
    await bed.expect("o", [item for one in work for item in one.items])
    assert scales == [one.scale for one in work]
    await bed.settled()
    assert bed.get("idle")
    assert bed.get("scale") == work[-1].scale, "the scale must stand"
    await bed.cycles()
    if traffic == "free":
        check_cycles(bed, work)


def check_cycles(bed: Testbed, work: Sequence[Work]) -> None:
    """Compare with the stated timing."""
    lengths = np.array([len(one.items) for one in work])
    firsts = np.cumsum(lengths) - lengths
    came = np.array(bed.sinks["o"].valid_at)
    done = np.array(bed.sources["i"].taken_at)
    numbers = np.array([len(one.codes) for one in work])
    expected = numbers // bed.block.sum_lanes + bed.block.preparation
    np.testing.assert_array_equal(came[firsts][1:] - done[:-1] - 1, expected[1:])
    np.testing.assert_array_equal(came[firsts + lengths - 1] - came[firsts], lengths - 1)
    np.testing.assert_array_equal(done - came[firsts + lengths - 1], 1)
