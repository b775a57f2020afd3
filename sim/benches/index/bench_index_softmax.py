"""cocotb bench for IndexSoftmax: indices and sums of rows of every kind."""

import cocotb
import numpy as np

from golden.exact.index_softmax import ONE, SoftmaxCodes, softmax_indices
from golden.exact.index_statistics import INDICES
from sim.benches.index.bench_score_quantizer import beats_of, expected, rows_of
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic


@every_traffic
@cocotb.test(timeout_time=2000, timeout_unit="us")
async def rows(dut, traffic: str) -> None:
    """Each row has its indices and its sum; a reset leaves nothing of the ones before."""
    bed = await Testbed(dut).start()
    inner = np.sort(bed.rng.integers(ONE, size=INDICES - 2))
    codes = SoftmaxCodes(bed.block.thresholds, np.array([0, *inner, ONE]))
    bed.set(powers=codes.powers)
    bed.send("i", beats_of(bed, rows_of(bed)))
    await bed.disturb()
    await bed.restart(traffic)
    scores = rows_of(bed)
    bed.send("i", beats_of(bed, scores))
    wanted = expected(bed, scores)
    found = await bed.receive("o", len(wanted))
    assert [{"indices": list(one["indices"]), "last": one["last"]} for one in found] == wanted
    totals = [int(softmax_indices(row[None], codes).total[0]) for row in scores]
    assert await bed.receive("sums", len(scores)) == totals
    if traffic == "free":
        ends = [at for at, one in zip(bed.sinks["o"].taken_at, wanted, strict=True) if one["last"]]
        # The first row's sum waits for none before.
        assert bed.sinks["sums"].valid_at[0] - ends[0] == bed.block.sum_latency
