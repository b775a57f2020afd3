"""cocotb bench for Fp16CountTree: channels with and without pauses between their beats."""

import cocotb
import numpy as np

from golden.exact.counter_fp16 import BINS, CODES, main_sums
from golden.exact.fp16 import to_bits
from sim.kit.fp16_operands import patterns
from sim.kit.strobes import strobed
from sim.kit.testbed import Testbed

CHANNELS = 12


def random_counts(rng: np.random.Generator, count_bits: int) -> np.ndarray:
    """Return counts: like those of a real layer, small ones, and some as large as can be."""
    inputs = (1 << count_bits) - 1
    shares = rng.dirichlet(np.full(BINS, 0.3), CHANNELS)
    counts = np.array([rng.multinomial(inputs, share) for share in shares])
    counts[0] = 0
    counts[1:3] = rng.integers(1 << count_bits, size=(2, BINS))
    counts[3] = counts[3] * 0 + inputs
    return counts


@cocotb.parametrize(pause=[0.0, 0.3])
@cocotb.test(timeout_time=200, timeout_unit="us")
async def adds_up(dut, pause: float) -> None:
    """One sum per channel, a fixed number of cycles after its last beat."""
    bed = await Testbed(dut).start()
    lanes, beats = bed.block.tree_lanes, bed.block.beats
    anything = bed.rng.integers(1 << bed.block.count_bits, size=(5, lanes))
    words = patterns(bed.rng, 5 * lanes).reshape(5, lanes)
    await strobed(bed, 0.0, counts=anything.tolist(), products=words.tolist())
    await bed.restart()
    counts = random_counts(bed.rng, bed.block.count_bits)
    for n in range(2):
        usual = to_bits(bed.rng.normal(size=(CODES, CODES)) * 2.0 ** bed.rng.integers(-12, 3))
        table = usual if n == 0 else patterns(bed.rng, BINS).reshape(CODES, CODES)
        sent, got, came = await strobed(
            bed,
            pause,
            counts=counts.reshape(-1, lanes).tolist(),
            products=np.tile(table.reshape(-1, lanes), (CHANNELS, 1)).tolist(),
        )
        np.testing.assert_array_equal(got, main_sums(counts, table))
        last = np.array(sent).reshape(CHANNELS, beats)[:, -1]
        np.testing.assert_array_equal(came - last, bed.block.latency)
