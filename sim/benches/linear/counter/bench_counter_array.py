"""cocotb bench for CounterArray and Fp16CounterArray: random layers of every shape."""

import cocotb
import numpy as np

from sim.kit.buffers import ServedBuffer
from sim.kit.counting import bin_numbers, channel_sums, products, random_table
from sim.kit.lookups import CODES, random_shape
from sim.kit.testbed import Testbed
from sim.kit.tokens import joined
from sim.kit.traffic import TRAFFIC, every_traffic

TOKENS = 2


class Layer:
    """A random layer, tokens for it, and their sums."""

    def __init__(self, bed: Testbed) -> None:
        spec = self.spec = bed.block.spec
        self.shape = random_shape(bed.rng, spec)
        self.table = random_table(bed.rng, spec)
        self.tiles, self.beats = (
            spec.tiles(self.shape["outputs"]),
            -(-self.shape["inputs"] // spec.pairs),
        )
        self.codes = bed.rng.integers(CODES, size=(TOKENS, self.beats, spec.pairs))
        shape = TOKENS, self.tiles, self.beats, spec.output_lanes, spec.pairs
        self.weights = bed.rng.integers(CODES, size=shape)

    def sums(self) -> np.ndarray:
        """Return the sums of every tile."""
        bins = bin_numbers(self.spec, self.codes[:, None, :, None], self.weights)
        bins = bins.transpose(0, 1, 3, 2, 4).reshape(
            TOKENS * self.tiles, self.spec.output_lanes, -1
        )
        bins = bins[:, :, : self.shape["inputs"]]
        return channel_sums(self.spec, products(self.spec, self.table), bins)

    def begin(self, bed: Testbed, stall: float) -> ServedBuffer:
        """Serve tokens and weights."""
        bed.set(shape=self.shape, product_table=self.table)
        bed.send("weight_i", self.weights.reshape(-1, *self.weights.shape[3:]).tolist())
        words = [[joined(word.tolist(), 4) for word in token] for token in self.codes]
        return ServedBuffer(bed, "codes", words, stall=stall)


@every_traffic
@cocotb.test(timeout_time=80, timeout_unit="us")
async def sums_tiles(dut, traffic: str) -> None:
    """Every tile has its sums, a tile every ``steps`` cycles or beats if nobody pauses."""
    bed = await Testbed(dut).start()
    for _ in range(3):
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
            at = bed.sinks["o"].valid_at
            np.testing.assert_array_equal(np.diff(at), max(layer.beats, bed.block.spec.steps))
            assert at[-1] - bed.sources["weight_i"].taken_at[-1] == bed.block.latency
