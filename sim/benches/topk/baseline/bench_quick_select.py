"""cocotb bench for QuickSelect: as for all outlier engines."""

import cocotb
import numpy as np

from sim.benches.topk.outlier_tests import finds_outliers, no_outliers_wanted  # noqa: F401
from sim.kit.outlier_tokens import beats_of
from sim.kit.testbed import Testbed


@cocotb.test(timeout_time=200, timeout_unit="us")
async def keeps_its_timing(dut) -> None:
    """Take a beat in every cycle; know a side in about as many cycles as documented."""
    bed = await Testbed(dut).start()
    spec, few = bed.block.spec, bed.block.few
    k_top = spec.outliers_max
    bed.set(k_top=k_top)
    bed.send("i", beats_of(bed, [bed.rng.permutation(spec.inputs_max) for _ in range(8)]))
    await bed.receive("smallest_o", 8 * k_top)
    taken = np.array(bed.sources["i"].taken_at).reshape(8, -1)
    np.testing.assert_array_equal(np.diff(taken), 1)
    known = np.array(bed.sinks["smallest_o"].valid_at).reshape(8, -1)[:, 0]
    ranking = few * (few + 1)  # each value is compared with all rows, at most as many
    assert (known - taken[:, 0]).mean() < 2 * (4 * spec.beats_max + 100 + ranking)
