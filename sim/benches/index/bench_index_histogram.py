"""cocotb bench for IndexHistogram: vectors of every length, the largest counts."""

import cocotb
import numpy as np

from golden.exact.index_statistics import INDICES, histogram
from sim.benches.index.vectors import index_beats, index_vectors, last_taken
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

VECTORS = 4


@every_traffic
@cocotb.test(timeout_time=200, timeout_unit="us")
async def counts(dut, traffic: str) -> None:
    """Each index of each vector is counted; a reset leaves nothing of the one before."""
    bed = await Testbed(dut).start()
    bed.send("i", index_beats(index_vectors(bed, VECTORS))[:-1])
    await bed.disturb()
    await bed.restart(traffic)
    vectors = index_vectors(bed, VECTORS)
    bed.send("i", index_beats(vectors))
    found = await bed.receive("o", INDICES * len(vectors))
    expected = [histogram(x.reshape(1, -1), used.reshape(1, -1))[0] for x, used in vectors]
    assert [one["count"] for one in found] == np.concatenate(expected).tolist()
    assert [one["index"] for one in found] == list(range(INDICES)) * len(vectors)
    if traffic == "free":
        valid = np.array(bed.sinks["o"].valid_at).reshape(-1, INDICES)
        ends = last_taken(bed, vectors)
        np.testing.assert_array_equal(valid[:, 0] - ends, bed.block.LATENCY)
        np.testing.assert_array_equal(np.diff(valid, axis=1), 1)
        starts = ends - [len(x) - 1 for x, _ in vectors]
        np.testing.assert_array_equal(starts[1:] - ends[:-1], bed.block.LATENCY + INDICES)
