"""cocotb bench for CounterLine and Fp16CounterLine: index pairs and their sums."""

import cocotb
import numpy as np

from hw.linear.counter.counter_line import CounterLine
from sim.kit.counting import bin_numbers, channel_sums, entry_slice, products, random_table
from sim.kit.lookups import CODES
from sim.kit.testbed import Testbed

CHANNELS = 14


@cocotb.test(timeout_time=40, timeout_unit="us")
async def sums_channels(dut) -> None:
    """Have the sum ``latency`` cycles after a channel's last beat."""
    bed = await Testbed(dut).start()
    spec, line = bed.block.spec, bed.block
    table = random_table(bed.rng, spec)
    values = products(spec, table)
    pairs = spec.pairs
    plan: dict[int, dict] = {}  # what is driven, by cycle
    sums: dict[int, int] = {}
    inputs = int(bed.rng.integers(1, spec.inputs_max, endpoint=True))
    beats = -(-inputs // pairs)
    now, ended = 1, -spec.steps
    for _ in range(CHANNELS):
        bins: list[int] = []
        for beat in range(beats):
            last = beat == beats - 1
            now += int(bed.rng.integers(3))
            if last:
                now = max(now, ended + spec.steps)
            activations, weights = bed.rng.integers(CODES, size=(2, pairs))
            used = min(pairs, inputs - beat * pairs)
            plan.setdefault(now - 1, {})["weights"] = weights.tolist()
            flags = {"first": int(beat == 0), "last": int(last), "used": (1 << used) - 1}
            plan.setdefault(now, {}).update(activations=activations.tolist(), **flags)
            bins += bin_numbers(spec, activations, weights)[:used].tolist()
            if last:
                ended = now
                sums[now + line.latency] = int(channel_sums(spec, values, np.array(bins)))
                for step in range(spec.steps):
                    entries = entry_slice(spec, values, step) | {"slice_first": int(step == 0)}
                    plan.setdefault(now + line.BINS + step, {}).update(entries)
            now += 1
    if isinstance(line, CounterLine):
        bed.set(start=-inputs << spec.numbers.magnitude_bits)
    idle = {"first": 0, "last": 0, "used": 0, "slice_first": 0}
    for cycle in range(max(sums) + 1):
        noise = bed.rng.integers(CODES, size=(2, pairs)).tolist()
        bed.set(**idle | {"activations": noise[0], "weights": noise[1]} | plan.get(cycle, {}))
        await bed.settled()
        if cycle in sums:
            np.testing.assert_equal(bed.get("sum"), sums.pop(cycle))
        await bed.cycles()
    assert not sums
