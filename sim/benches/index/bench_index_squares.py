"""cocotb bench for IndexSquares: outliers of all sizes, sums at every place of the total."""

from typing import Any

import cocotb
import numpy as np

from golden.exact.fp16 import MAX_FINITE, BitArray
from golden.exact.index_statistics import INDICES, Constants, square_sum_by_counts
from golden.exact.norms import SQUARE_UNIT
from golden.exact.spec import A_FRACTION_BITS, MIN_SCALE_EXPONENT
from golden.exact.token_scale import Scale
from hw.index.index_sum import sum_bits
from sim.kit.codebooks import scale_word
from sim.kit.corners import finite
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

VECTORS = 10


class Vector:
    """The outliers of a vector, the sum of its indices, and what is expected."""

    def __init__(self, bed: Testbed, kind: int, fraction: int, start: int) -> None:
        rng, most = bed.rng, (1 << sum_bits(bed.block.longest)) - 1
        self.outliers: BitArray = finite(rng, (int(rng.integers(1, 5)),))
        if kind == 0:
            self.outliers = np.array([0, 1, 0x8400, MAX_FINITE], np.uint16)
        self.total = most if kind < 2 else int(rng.integers(1 + (most >> int(rng.integers(20)))))
        # The total stays below 2**80.
        top = fraction // 2 - 1
        exponent = top if kind == 0 else int(rng.integers(MIN_SCALE_EXPONENT, top, endpoint=True))
        mantissa = 2047 if kind == 0 else int(rng.integers(1024, 2048))
        self.scale = Scale(np.array([mantissa]), np.array([exponent]))
        constants = Constants(np.array([self.total] + [0] * (INDICES - 1)), fraction)
        counts = np.eye(1, INDICES, dtype=np.int64)
        found = square_sum_by_counts(counts, constants, self.scale, self.outliers[None], start)
        self.expected = int(found.integers()[0])
        fields = np.maximum(self.outliers >> 10 & 31, 1).astype(np.int64)
        places = [*(2 * (fields - 25) + SQUARE_UNIT), 2 * exponent + SQUARE_UNIT - fraction]
        self.cycles = [bed.block.cycles(int(place)) for place in places]

    @property
    def outlier_items(self) -> list[dict[str, Any]]:
        """Its outliers as a stream has them."""
        last = len(self.outliers) - 1
        return [{"number": int(x), "last": int(n == last)} for n, x in enumerate(self.outliers)]


@every_traffic
@cocotb.test(timeout_time=600, timeout_unit="us")
async def totals(dut, traffic: str) -> None:
    """Each vector gives its sum of squares; a reset leaves nothing of the one before."""
    bed = await Testbed(dut).start()
    for fraction, start in ((2 * A_FRACTION_BITS, 0), (7, (1 << 62) - 1), (12, 12345)):
        vectors = [Vector(bed, n, fraction, start) for n in range(VECTORS)]
        bed.set(fraction=fraction, start=start)
        items = [item for one in vectors for item in one.outlier_items]
        sums = [{"total": one.total, "scale": scale_word(one.scale)} for one in vectors]
        await bed.send_anew(traffic, outliers=items, sums=sums)
        assert await bed.receive("o", VECTORS) == [one.expected for one in vectors]
        if traffic == "free":
            outliers, counted = (bed.sources[name].taken_at for name in ("outliers", "sums"))
            # A vector after the first waits a cycle, until the total before is out.
            waits = [[k > 0] + [0] * (len(one.cycles) - 1) for k, one in enumerate(vectors)]
            cycles = np.concatenate([one.cycles for one in vectors]) + np.concatenate(waits)
            np.testing.assert_array_equal(np.diff(sorted(outliers + counted)), cycles[1:])
            ends = np.array(bed.sources["sums"].taken_at)
            np.testing.assert_array_equal(bed.sinks["o"].valid_at - ends, 1)
        await bed.restart(traffic)
