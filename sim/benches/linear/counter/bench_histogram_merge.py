"""cocotb bench for HistogramMerge: channels as close behind one another as they may be."""

import cocotb
import numpy as np

from sim.kit.counting import split_counts
from sim.kit.testbed import Testbed

CHANNELS = 12


@cocotb.test(timeout_time=20, timeout_unit="us")
async def merges(dut) -> None:
    """Every bin of a channel comes out in its slice, its counts added over counters and beats."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    lanes, steps = spec.tree_lanes, spec.steps
    ports = [[f"counts__{c}__{n}" for n in range(spec.bins)] for c in range(spec.counters)]
    slices: dict[int, np.ndarray] = {}  # by the cycle in which they are due
    now = ended = 0
    for channel in range(CHANNELS):
        beats = int(bed.rng.integers(1, spec.counting_beats_max, endpoint=True))
        total = np.zeros(spec.bins, np.int64)
        for beat in range(beats):
            last = beat == beats - 1
            while last and channel and now < ended + steps:
                await step(bed, {}, slices, now)
                now += 1
            shape = spec.counters, spec.bins
            counts = bed.rng.integers(spec.counter_inputs, size=shape, endpoint=True)
            counts *= bed.rng.random(shape) < 0.3
            given = split_counts(spec, counts, bed.rng)
            drive = {
                name: int(value)
                for names, values in zip(ports, given, strict=True)
                for name, value in zip(names, values, strict=True)
            }
            total += counts.sum(axis=0)
            if last:
                ended = now
                for n, part in enumerate(total.reshape(steps, lanes)):
                    slices[now + bed.block.LATENCY + n] = part % (1 << spec.count_bits)
            await step(bed, drive | {"first": int(beat == 0), "last": int(last)}, slices, now)
            now += 1
    while slices:
        await step(bed, {}, slices, now)
        now += 1


async def step(bed: Testbed, drive: dict[str, int], slices: dict, now: int) -> None:
    """Drive a cycle, nothing by default, and look at the slice that is due in it."""
    spec = bed.block.spec
    idle = {f"counts__{c}__{n}": 0 for c in range(spec.counters) for n in range(spec.bins)}
    bed.set(**idle | {"first": 0, "last": 0} | drive)
    await bed.settled()
    if now in slices:
        got = [bed.get(f"bins__{n}") for n in range(spec.tree_lanes)]
        np.testing.assert_array_equal(got, slices.pop(now))
    await bed.cycles()
