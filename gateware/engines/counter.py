"""What runs a layer on a counter engine."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from gateware.engines.contract import Constant, Contract, weight_codes
from gateware.engines.integer_constants import integer_constants
from gateware.engines.memory_image import MemoryImage, packed
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear, Result, forward
from golden.exact.token_scale import Scale
from hw.linear.counter.counter_engine import CounterEngine
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.counter.tile_requester import TileRequester


class CounterContract(Contract[CounterSpec]):
    """What runs a layer on a :class:`hw.linear.counter.counter_engine.CounterEngine`."""

    COMPONENT = CounterEngine
    ASKED = TileRequester.LATENCY
    WEIGHTS: ClassVar = {"tile_request_o": "tile_weight_i", "row_request_o": "row_weight_i"}

    def constants(self, layer: QuantizedLinear) -> Iterator[Constant]:
        """Yield what the engine loads but for the layer's size and the activation codebook."""
        return integer_constants(self.spec, layer)

    def memory_images(self, layer: QuantizedLinear) -> list[MemoryImage]:
        """Return the weights in the order of counters, and in that of the compensation MACs.

        Of a word for counters, the input channels of an output channel are contiguous; of one for
        MACs, the output channels of an input channel.
        """
        spec, codes = self.spec, weight_codes(layer)
        lines, pairs, group = spec.output_lanes, spec.pairs, spec.group_channels
        columns = np.pad(codes.T, ((0, -layer.outputs % lines), (0, -layer.inputs % pairs)))
        columns = columns.reshape(-1, lines, columns.shape[1] // pairs, pairs).swapaxes(1, 2)
        rows = np.pad(codes, ((0, 0), (0, -layer.outputs % group)))
        tile_words = packed(columns.reshape(*columns.shape[:2], lines * pairs))
        return [
            MemoryImage(
                request="tile_request_o",
                answer="tile_weight_i",
                words=tile_words,
                row_field="tile",
                column_field="address",
            ),
            MemoryImage(
                request="row_request_o",
                answer="row_weight_i",
                words=packed(rows.reshape(layer.inputs, -1, group)),
                row_field="channel",
                column_field="group",
            ),
        ]

    def golden(self, layer: QuantizedLinear, x: BitArray, factor: Scale | None = None) -> Result:
        """Return what the engine makes of tokens (T, K) and their factors (T,), bit for bit."""
        return forward(layer, x, factor)

    def weight_beats(self, inputs: int, outputs: int, k_top: int) -> int:
        """Return the beats of weights that a token takes in the main branch, one a cycle."""
        return self.spec.tiles(outputs) * -(-inputs // self.spec.pairs)

    def main_cycles(self, inputs: int, outputs: int, k_top: int) -> int:
        """Return the cycles of the main branch for a token."""
        return self.spec.main_cycles(inputs, outputs)

    def compensation_cycles(self, outputs: int, k_top: int) -> int:
        """Return the cycles of the outlier branch for a token."""
        return self.spec.compensation_cycles(outputs, 2 * k_top)

    def alone(self, inputs: int, outputs: int, k_top: int, *, later: int = 1) -> int:
        """Return the cycles from a lone token's first main weights to its last outputs, both in.

        That is the slower branch, and a way out. Where tiles wait for their compensation, they go
        out one after another at the pace of the output stage.
        """
        spec = self.spec
        tiles, beats = spec.tiles(outputs), -(-inputs // spec.pairs)
        # When the last tile's sums are complete, if it is for this branch to say.
        counted = (tiles - 1) * max(beats, spec.steps) + beats - 1
        ready = [counted + self.component.counting.latency]
        if k_top:
            blocks = -(-tiles // spec.tiles_together)
            in_last = tiles - (blocks - 1) * spec.tiles_together
            for block, behind in ((1, tiles - 1), (blocks, in_last - 1)):
                summed = later + self.summed(outputs, block, 2 * k_top)
                ready.append(summed + behind * spec.output_cycles)
        steps = -(-(outputs - (tiles - 1) * spec.output_lanes) // spec.scale_lanes)
        return max(ready) + self.way_out + steps

    def summed(self, outputs: int, block: int, outliers: int) -> int:
        """Return the cycles from the first row of weights to the sums of the first blocks.

        A block is what is summed at a time: ``tiles_together`` tiles.
        """
        return block * outliers - 1 + self.component.compensation.LATENCY

    @property
    def way_out(self) -> int:
        """Cycles from a tile's sums to its first outputs."""
        return self.component.join.LATENCY + self.component.output.latency

    @property
    def multiply_accumulates(self) -> int:
        """Of the main branch, per cycle."""
        return self.spec.pairs * self.spec.output_lanes
