"""What runs a layer on a counter engine."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from gateware.engines.contract import Constant, Contract, weight_codes
from gateware.engines.integer_constants import integer_constants
from gateware.engines.memory_image import MemoryImage, packed
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear, Result, forward
from hw.linear.counter.counter_engine import CounterEngine
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.engine_spec import CHANNEL


class CounterContract(Contract[CounterSpec]):
    """What runs a layer on a :class:`hw.linear.counter.counter_engine.CounterEngine`."""

    COMPONENT = CounterEngine
    WEIGHTS: ClassVar = {"tile_request_o": "tile_weight_i", "row_request_o": "row_weight_i"}
    WORD_BITS = CHANNEL.size

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

    def golden(self, layer: QuantizedLinear, x: BitArray) -> Result:
        """Return what the engine makes of tokens (T, K), bit for bit."""
        return forward(layer, x)

    def weight_beats(self, inputs: int, outputs: int, k_top: int) -> int:
        """Return the beats of weights that a token takes in the main branch, one a cycle."""
        return self.spec.tiles(outputs) * -(-inputs // self.spec.pairs)
