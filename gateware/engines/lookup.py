"""What runs a layer on a lookup engine."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from gateware.engines.contract import Constant, Contract, weight_codes
from gateware.engines.integer_constants import integer_constants
from gateware.engines.memory_image import MemoryImage, packed
from golden.exact.cycles import lookup_beats
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear, Result, forward
from hw.linear.engine_spec import CHANNEL, EngineSpec
from hw.linear.linear_engine import LinearEngine


class LookupContract(Contract[EngineSpec]):
    """What runs a layer on a :class:`hw.linear.linear_engine.LinearEngine`."""

    COMPONENT = LinearEngine
    WEIGHTS: ClassVar = {"weight_request_o": "weight_i"}
    WORD_BITS = CHANNEL.size

    def constants(self, layer: QuantizedLinear) -> Iterator[Constant]:
        """Yield what the engine loads but for the layer's size and the activation codebook."""
        return integer_constants(self.spec, layer)

    def memory_images(self, layer: QuantizedLinear) -> list[MemoryImage]:
        """Return the weights, an input channel of a tile in a word."""
        lanes = self.spec.output_lanes
        codes = np.pad(weight_codes(layer), ((0, 0), (0, -layer.outputs % lanes)))
        image = MemoryImage(
            request="weight_request_o",
            answer="weight_i",
            words=packed(codes.reshape(layer.inputs, -1, lanes)),
            row_field="channels",
            column_field="tile",
        )
        return [image]

    def golden(self, layer: QuantizedLinear, x: BitArray) -> Result:
        """Return what the engine makes of tokens (T, K), bit for bit."""
        return forward(layer, x)

    def weight_beats(self, inputs: int, outputs: int, k_top: int) -> int:
        """Return the beats of weights that a token takes, one a cycle."""
        spec = self.spec
        return lookup_beats(
            inputs,
            outputs,
            2 * k_top,
            inputs_per_beat=spec.inputs_per_beat,
            output_lanes=spec.output_lanes,
            digits=spec.numbers.residual_digits,
        )
