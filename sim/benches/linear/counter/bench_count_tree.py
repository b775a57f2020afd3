"""cocotb bench for CountTree: channel after channel without a gap, all inputs in few bins."""

import cocotb
import numpy as np

from sim.kit.counting import entry_slice
from sim.kit.testbed import Testbed

CHANNELS = 40


@cocotb.test(timeout_time=20, timeout_unit="us")
async def sums_products(dut) -> None:
    """Have the sum over a channel's bins ``LATENCY`` cycles after its last slice."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    most = spec.numbers.entry_max
    inputs = spec.inputs_max
    expected: list[tuple[int, int]] = []
    now = 0
    bed.set(start=-inputs << spec.numbers.magnitude_bits)
    for channel in range(CHANNELS + 2):
        occupied = int(bed.rng.choice([1, 2, spec.bins]))
        bins = bed.rng.integers(spec.bins, size=occupied)[bed.rng.integers(occupied, size=inputs)]
        counts = np.bincount(bins, minlength=spec.bins)
        values = bed.rng.integers(-most, most, spec.bins, endpoint=True)
        if channel % 4 == 0:
            values[:] = (-most, most)[channel // 4 % 2]
        for n, part in enumerate(counts.reshape(spec.steps, -1)):
            drive = {f"counts__{lane}": int(count) for lane, count in enumerate(part)}
            bed.set(**drive, **entry_slice(spec, values, n), first=int(n == 0))
            await bed.settled()
            if expected and expected[0][0] == now:
                np.testing.assert_equal(bed.get("sum"), expected.pop(0)[1])
            await bed.cycles()
            now += 1
        expected.append((now - 1 + bed.block.LATENCY, int((counts * values).sum())))
    assert len(expected) <= 1 + bed.block.LATENCY // spec.steps + 1
