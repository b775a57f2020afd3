"""cocotb bench for BinMerge: channels of any number of beats, with cycles between."""

import cocotb
import numpy as np

from sim.kit.counting import split_counts
from sim.kit.testbed import Testbed

CYCLES = 600


@cocotb.test(timeout_time=20, timeout_unit="us")
async def accumulates(dut) -> None:
    """Give each channel's count after its last beat, then what follows in the row."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    most = (1 << spec.count_bits) - 1
    before = expected = None
    running, left, flags = 0, 0, (0, 0)
    for _ in range(CYCLES):
        first = left == 0
        if first:
            left = int(bed.rng.integers(1, spec.counting_beats_max, endpoint=True))
        counting = bed.rng.random() < 0.8
        parts = bed.rng.integers(spec.counter_inputs, size=spec.counters, endpoint=True)
        if bed.rng.random() < 0.2:
            parts[:] = spec.counter_inputs
        if not counting:
            parts[:] = 0
        given = split_counts(spec, parts, bed.rng)
        following = int(bed.rng.integers(most, endpoint=True))
        # The flags of a beat come a cycle after its counts.
        bed.set(
            **{f"counts__{n}": int(value) for n, value in enumerate(given)},
            first=flags[0],
            last=flags[1],
            following=following,
        )
        if flags[1]:
            expected = running
        elif expected is not None:
            expected = following
        flags = 0, 0
        if counting:
            running = (0 if first else running) + int(parts.sum())
            left -= 1
            flags = int(first), int(left == 0)
        elif first:
            left = 0
        await bed.cycles()
        await bed.settled()
        if expected is not None:
            assert bed.get("kept") == expected, (before, expected)
        before = expected
    assert before is not None
    np.testing.assert_equal(bed.get("kept"), expected)
