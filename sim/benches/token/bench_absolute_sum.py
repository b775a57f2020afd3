"""cocotb bench for AbsoluteSum: tokens of every length, with the largest and smallest numbers."""

from typing import Any

import cocotb
import numpy as np

from golden.exact.fp16 import MAX_FINITE, units
from sim.kit.corners import finite
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic


def tokens_of(bed: Testbed, count: int) -> list[np.ndarray]:
    """Return tokens as (beats, lanes), the first of them the longest with the largest sum."""
    spec = bed.block.spec
    lanes, longest = spec.inputs_per_beat, spec.beats_max
    lengths = bed.rng.integers(1, min(longest, 12), count, endpoint=True)
    largest = np.full((longest, lanes), MAX_FINITE | 0x8000, np.uint16)
    return [largest, *(finite(bed.rng, (beats, lanes)) for beats in lengths)]


def beats_of(tokens: list[np.ndarray]) -> list[dict[str, Any]]:
    """Return the beats of some tokens, one after another."""
    return [
        {"lanes": beat, "last": int(n == len(token) - 1)}
        for token in tokens
        for n, beat in enumerate(token)
    ]


@every_traffic
@cocotb.test(timeout_time=50, timeout_unit="us")
async def sums(dut, traffic: str) -> None:
    """Add up exactly; a reset in the middle of a token leaves nothing behind."""
    bed = await Testbed(dut).start()
    bed.send("i", beats_of(tokens_of(bed, 60))[:-1])
    await bed.disturb()
    await bed.restart(traffic)
    tokens = tokens_of(bed, 60)
    bed.send("i", beats_of(tokens))
    got = await bed.receive("o", len(tokens))
    assert got == [int(units(token).sum()) for token in tokens]
    if traffic == "free":
        ends = np.array(bed.sources["i"].taken_at)[np.cumsum([len(x) for x in tokens]) - 1]
        valid, before = bed.sinks["o"].valid_at, -bed.block.LATENCY
        for end, at in zip(ends, valid, strict=True):
            assert at == max(end, before) + bed.block.LATENCY
            before = at


@cocotb.test(timeout_time=50, timeout_unit="us")
async def keeps_pace(dut) -> None:
    """Tokens as long as the latency follow each other without a pause."""
    bed = await Testbed(dut).start()
    lanes = bed.block.spec.inputs_per_beat
    tokens = [finite(bed.rng, (bed.block.LATENCY, lanes)) for _ in range(12)]
    await bed.restart("free")
    bed.send("i", beats_of(tokens))
    got = await bed.receive("o", len(tokens))
    assert got == [int(units(token).sum()) for token in tokens]
    np.testing.assert_array_equal(np.diff(bed.sources["i"].taken_at), 1)
