"""cocotb bench for OrizuruUnit and OrizuruTree: answers, timing, and comparisons counted."""

import cocotb
import numpy as np

from golden.exact.orizuru import hierarchy_comparisons, tree_comparisons
from hw.topk.orizuru.orizuru_unit import OrizuruUnit
from sim.benches.topk.outlier_tests import finds_outliers, no_outliers_wanted  # noqa: F401
from sim.kit.outlier_tokens import beats_of, tokens_of
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic


@cocotb.test(timeout_time=200, timeout_unit="us")
async def keeps_its_timing(dut) -> None:
    """Take a beat a cycle; then the latency, then a pop of each side each period."""
    bed = await Testbed(dut).start()
    k_top = bed.block.spec.outliers_max
    bed.set(k_top=k_top)
    tokens = [*tokens_of(bed, k_top), np.arange(bed.block.spec.inputs_max)]
    beats = beats_of(bed, tokens)
    bed.send("i", beats)
    for port in ("largest_o", "smallest_o"):
        await bed.receive(port, len(tokens) * k_top)
        offered = np.array(bed.sinks[port].valid_at).reshape(-1, k_top)
        np.testing.assert_array_equal(np.diff(offered), bed.block.period)
        ends = np.array([beat["last"] for beat in beats], np.bool_)
        taken = np.array(bed.sources["i"].taken_at)
        np.testing.assert_array_equal(offered[:, 0] - taken[ends], bed.block.latency)
        np.testing.assert_array_equal(np.diff(taken)[~ends[:-1]], 1)


@every_traffic
@cocotb.test(timeout_time=400, timeout_unit="us")
async def counts_comparisons(dut, traffic: str) -> None:
    """Count as many as golden says, whatever the keys and the pauses; none unless told to."""
    bed = await Testbed(dut).start(traffic)
    spec = bed.block.spec
    formula = tree_comparisons if isinstance(bed.block, OrizuruUnit) else hierarchy_comparisons
    expected = received = 0
    for k_top in {0, 1, spec.outliers_max}:
        bed.set(k_top=k_top)
        tokens = tokens_of(bed, max(k_top, 1))
        await bed.sources["i"].send(beats_of(bed, tokens))
        received += len(tokens) * k_top
        if received:
            await bed.receive("largest_o", received)
            await bed.receive("smallest_o", received)
        await bed.cycles(4)
        expected += len(tokens) * formula(spec.inputs_max, k_top)
        assert bed.get("comparisons") == (expected if bed.block.count else 0)
