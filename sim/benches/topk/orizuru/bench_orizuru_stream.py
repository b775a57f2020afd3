"""cocotb bench for OrizuruStream: ties, sorted tokens, short tokens, every number of outliers."""

import cocotb
import numpy as np

from sim.benches.topk.outlier_tests import finds_outliers, no_outliers_wanted  # noqa: F401
from sim.kit.outlier_tokens import beats_of
from sim.kit.testbed import Testbed


@cocotb.test(timeout_time=30, timeout_unit="us")
async def keeps_its_timing(dut) -> None:
    """Once the lists are full of what nothing exceeds, a beat a cycle; then the latency."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    k_top = spec.outliers_max
    bed.set(k_top=k_top)
    tokens = [np.full(spec.inputs_max, value) for value in (7, -7)]
    bed.send("i", beats_of(bed, tokens))
    await bed.receive("largest_o", 2 * k_top)
    taken = np.array(bed.sources["i"].taken_at).reshape(2, -1)
    full = -(-k_top * bed.block.lists // spec.values_per_beat) + 4
    np.testing.assert_array_equal(np.diff(taken[:, full:]), 1)
    first = np.array(bed.sinks["largest_o"].valid_at).reshape(2, -1)[:, 0]
    np.testing.assert_array_equal(first - taken[:, -1], bed.block.latency)


@cocotb.test(timeout_time=100, timeout_unit="us")
async def keeps_its_worst_case(dut) -> None:
    """No order takes more than ``most_cycles``, and one takes a cycle for each activation."""
    bed = await Testbed(dut).start()
    block = bed.block
    bed.set(k_top=block.spec.outliers_max)
    rising = np.arange(block.spec.inputs_max)
    waves = np.where(rising % 2, rising, -rising)  # candidates of both sides all along
    tokens = [rising, rising[::-1], waves, -waves]
    bed.send("i", beats_of(bed, tokens))
    valid = []
    for port in ("largest_o", "smallest_o"):
        await bed.receive(port, len(tokens) * block.spec.outliers_max)
        valid.append(np.array(bed.sinks[port].valid_at).reshape(len(tokens), -1)[:, 0])
    first = np.array(bed.sources["i"].taken_at).reshape(len(tokens), -1)[:, 0]
    cycles = np.maximum(*valid) - first
    assert cycles.max() <= block.most_cycles
    held = block.spec.inputs_max // block.lists
    assert cycles.max() >= held - block.spec.outliers_max
