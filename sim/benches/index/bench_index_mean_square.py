"""cocotb bench for IndexMeanSquare: vectors with and without outliers, any codebook."""

import cocotb
import numpy as np

from golden.exact.index_statistics import histogram, square_constants, square_sum_by_counts
from golden.exact.token_scale import Scale
from sim.benches.index.vectors import index_beats, index_vectors
from sim.kit.codebooks import scale_word
from sim.kit.corners import finite
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

VECTORS, OUTLIERS = 4, 2
START = 123456789


@every_traffic
@cocotb.test(timeout_time=600, timeout_unit="us")
async def sums(dut, traffic: str) -> None:
    """Each vector's squares are added up; a reset leaves nothing of the one before."""
    bed = await Testbed(dut).start()
    for largest in (1 << 15, 1 << 11, 40):
        centroids = np.sort(bed.rng.integers(-largest + 1, largest, 16))
        constants = square_constants(centroids)
        vectors = index_vectors(bed, VECTORS)
        counts = np.concatenate([histogram(x.reshape(1, -1), u.reshape(1, -1)) for x, u in vectors])
        number = len(vectors)
        scale = Scale(bed.rng.integers(1024, 2048, number), bed.rng.integers(-24, 6, number))
        outliers = finite(bed.rng, (number, OUTLIERS))
        outliers[::2] = 0
        wanted = square_sum_by_counts(counts, constants, scale, outliers, START).integers()
        bed.set(constants=constants.values, fraction=constants.fraction_bits, start=START)
        await bed.send_anew(
            traffic,
            i=index_beats(vectors),
            scale=[scale_word(scale, n) for n in range(number)],
            outliers=[
                {"number": int(x), "last": int(n == OUTLIERS - 1)}
                for row in outliers
                for n, x in enumerate(row)
            ],
        )
        assert await bed.receive("o", number) == wanted.tolist()
        await bed.restart(traffic)


@cocotb.test(timeout_time=100, timeout_unit="us")
async def keeps_its_time(dut) -> None:
    """Give the sum of a vector that is alone as many cycles after it came in as is stated."""
    bed = await Testbed(dut).start()
    bed.set(constants=np.arange(16), fraction=20, start=0)
    bed.send("scale", [{"mantissa": 1024, "exponent": 0}])
    bed.send("outliers", [{"number": 0x3C00, "last": 1}])
    await bed.cycles(2 * bed.block.squares.cycles(0))
    bed.send("i", index_beats(index_vectors(bed, 1)[:1]))
    await bed.receive("o", 1)
    assert bed.sinks["o"].valid_at[0] - bed.sources["i"].taken_at[-1] == bed.block.latency
