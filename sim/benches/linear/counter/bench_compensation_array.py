"""cocotb bench for CompensationArray: layers of every shape, with random residuals and codes."""

import cocotb
import numpy as np

from golden.exact.residual import residual_rows
from sim.kit.buffers import ServedBuffer
from sim.kit.codebooks import random_centroids, stored, weight_words
from sim.kit.counting import fitting_residuals
from sim.kit.lookups import CODES, random_shape, wrapped
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic
from sim.kit.words import pack

TOKENS = 3


class Layer:
    """A random layer, residuals of tokens for it, and their sums."""

    def __init__(self, bed: Testbed) -> None:
        spec = self.spec = bed.block.spec
        symmetric = spec.numbers.symmetric
        self.shape = random_shape(bed.rng, spec, least=1)
        self.held = stored(random_centroids(bed.rng, 16, symmetric=symmetric), symmetric=symmetric)
        outliers = 2 * self.shape["k_top"]
        self.groups = -(-self.shape["outputs"] // spec.group_channels)
        self.residuals = fitting_residuals(
            bed.rng, spec, np.abs(self.held).max(), (TOKENS, outliers)
        )
        self.residuals *= bed.rng.choice([-1, 1], (TOKENS, outliers))
        shape = TOKENS, self.groups, outliers, spec.group_channels
        self.weights = bed.rng.integers(CODES, size=shape)

    def sums(self) -> np.ndarray:
        """Return the sums of every tile."""
        spec, held = self.spec, np.array(self.held)
        values = np.concatenate([held, -held]) if spec.numbers.symmetric else held
        rows = residual_rows(spec.numbers, self.residuals, values)
        chosen = np.take_along_axis(rows[:, None], self.weights, axis=3)
        sums = wrapped(chosen.sum(axis=2), spec.compensation_bits)
        tiles = sums.reshape(TOKENS, -1, spec.output_lanes)
        return tiles[:, : spec.tiles(self.shape["outputs"])].reshape(-1, spec.output_lanes)

    def begin(self, bed: Testbed, stall: float) -> ServedBuffer:
        """Serve residuals and weights."""
        bed.set(shape=self.shape, w_centroids=weight_words(self.spec, self.held))
        bed.send("row_i", self.weights.reshape(-1, self.spec.group_channels).tolist())
        words = [
            [pack(self.spec.residual, {"magnitude": abs(r), "negative": int(r < 0)}) for r in token]
            for token in self.residuals.tolist()
        ]
        return ServedBuffer(bed, "residuals", words, stall=stall)


@every_traffic
@cocotb.test(timeout_time=80, timeout_unit="us")
async def sums_outliers(dut, traffic: str) -> None:
    """Every tile has its sums, an outlier per cycle if nobody pauses."""
    bed = await Testbed(dut).start()
    for _ in range(6):
        layer = Layer(bed)
        await bed.restart()
        layer.begin(bed, 0)
        await bed.disturb()
        await bed.restart(traffic)
        served = layer.begin(bed, TRAFFIC[traffic].source_stall)
        expected = layer.sums()
        np.testing.assert_array_equal(await bed.receive("o", len(expected)), expected)
        assert served.released == TOKENS
        if traffic == "free":
            taken = np.array(bed.sources["row_i"].taken_at)
            outliers = 2 * layer.shape["k_top"]
            first = bed.sinks["o"].valid_at[0]
            assert first - taken[outliers - 1] == bed.block.LATENCY
            # A group waits for nothing but the way through the MACs of those before.
            least = max(outliers, bed.block.LATENCY)
            assert np.diff(taken[::outliers]).max(initial=0) <= least
