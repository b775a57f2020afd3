"""cocotb bench for Fp16CompensationArray: layers of every shape, weights that miss their turn."""

from typing import Any

import cocotb
import numpy as np

from golden.exact.counter_fp16 import CODES, compensation, dequantised
from sim.kit.buffers import ServedBuffer
from sim.kit.channels import load_channels
from sim.kit.corners import finite
from sim.kit.fp16_layers import assert_tiles, compensation_beats
from sim.kit.fp16_operands import patterns
from sim.kit.lookups import random_shape
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic

TOKENS = 3


class Layer:
    """A random layer, errors of a few tokens' outliers, and the weights of their inputs."""

    def __init__(self, bed: Testbed, *, any_pattern: bool) -> None:
        spec, rng = bed.block.spec, bed.rng
        self.spec = spec
        self.shape = random_shape(rng, spec, least=1)
        outputs, outliers = self.shape["outputs"], 2 * self.shape["k_top"]
        make = patterns if any_pattern else lambda rng, count: finite(rng, (count,))
        self.codebook, self.scale = make(rng, CODES), make(rng, outputs)
        self.errors = make(rng, TOKENS * outliers).reshape(TOKENS, outliers)
        padded = outputs + -outputs % spec.group_channels
        self.codes = rng.integers(CODES, size=(TOKENS, outliers, padded))

    def rows(self) -> list[Any]:
        """Return the words of ``row_i``."""
        words = self.codes.reshape(*self.codes.shape[:2], -1, self.spec.group_channels)
        beats = list(compensation_beats(self.spec, self.shape))
        return [
            words[token, beat["address"], beat["group"]].tolist()
            for token in range(TOKENS)
            for beat in beats
        ]

    def sums(self) -> np.ndarray:
        """Return what the outliers add."""
        codes = self.codes[..., : self.shape["outputs"]]
        return compensation(self.errors, dequantised(self.codebook[codes], self.scale))


async def load(bed: Testbed, layer: Layer) -> None:
    """Write the scales of the output channels, in no order."""
    bed.set(shape=layer.shape, w_centroids=layer.codebook.tolist())
    biases = bed.rng.integers(1 << 16, size=len(layer.scale))
    pairs = zip(layer.scale.tolist(), biases.tolist(), strict=True)
    await load_channels(bed, [{"scale": scale, "bias": bias} for scale, bias in pairs])


def begin(bed: Testbed, layer: Layer, stall: float) -> ServedBuffer:
    """Serve errors and weights."""
    bed.send("row_i", layer.rows())
    return ServedBuffer(bed, "residuals", layer.errors.tolist(), stall=stall)


@every_traffic
@cocotb.test(timeout_time=400, timeout_unit="us")
async def compensates(dut, traffic: str) -> None:
    """Every tile has its sums, and a turn of all slots does an outlier if nobody pauses."""
    bed = await Testbed(dut).start()
    for n in range(5):
        layer = Layer(bed, any_pattern=n == 1)
        await bed.restart()
        await load(bed, layer)
        begin(bed, layer, 0)
        await bed.disturb()
        await bed.restart(traffic)
        errors = begin(bed, layer, TRAFFIC[traffic].source_stall)
        tiles = TOKENS * -(-layer.shape["outputs"] // layer.spec.output_lanes)
        assert_tiles(layer.spec, await bed.receive("o", tiles), layer.sums())
        assert errors.released == TOKENS
        # With fewer outliers than that, the sums take longer to go out.
        if traffic == "free" and 2 * layer.shape["k_top"] > layer.spec.compensation_macs:
            check_timing(bed, layer)


def check_timing(bed: Testbed, layer: Layer) -> None:
    """Compare with the stated latency and rate."""
    beats = list(compensation_beats(layer.spec, layer.shape)) * TOKENS
    taken = np.array(bed.sources["row_i"].taken_at)
    first_ends = [beat["block_last"] for beat in beats].index(1)
    assert bed.sinks["o"].valid_at[0] - taken[first_ends] == bed.block.LATENCY
    turns = (taken - taken[0]) // layer.spec.slots
    begins = [beat["slot"] == 0 for beat in beats]
    np.testing.assert_array_equal(turns, np.cumsum(begins) - 1)
