"""cocotb bench for IndexSum: any constants, the largest sum."""

import cocotb
import numpy as np

from golden.exact.index_statistics import (
    CONSTANT_BITS,
    INDICES,
    histogram,
    largest_index,
    sum_by_counts,
)
from sim.benches.index.vectors import index_beats, index_vectors, last_taken
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

VECTORS = 4


@every_traffic
@cocotb.test(timeout_time=400, timeout_unit="us")
async def sums(dut, traffic: str) -> None:
    """Add up any constants, find the largest index; a reset leaves nothing of a vector."""
    bed = await Testbed(dut).start()
    most = (1 << CONSTANT_BITS) - 1
    for constants in (np.full(INDICES, most), bed.rng.integers(most, size=INDICES, endpoint=True)):
        bed.set(constants=constants)
        bed.send("i", index_beats(index_vectors(bed, VECTORS))[:-1])
        await bed.disturb()
        await bed.restart(traffic)
        vectors = index_vectors(bed, VECTORS)
        bed.send("i", index_beats(vectors))
        found = await bed.receive("o", len(vectors))
        counts = np.concatenate([histogram(x.reshape(1, -1), u.reshape(1, -1)) for x, u in vectors])
        expected = sum_by_counts(counts, np.asarray(constants, np.int64))
        assert [one["total"] for one in found] == expected.tolist()
        assert [one["largest"] for one in found] == largest_index(counts).tolist()
        if traffic == "free":
            ends = last_taken(bed, vectors)
            valid = np.array(bed.sinks["o"].valid_at)
            before = -bed.block.latency
            for end, at in zip(ends, valid, strict=True):
                assert at == max(end, before - 1) + bed.block.latency
                before = at
            # The first vector is alone.
            assert ends[1] - len(vectors[1][0]) + 1 - ends[0] == bed.block.BETWEEN
