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
from golden.exact.token_scale import Scale
from hw.engine_spec import EngineSpec
from hw.linear.lookup.lookup_engine import LookupEngine
from hw.linear.lookup.weight_requester import WeightRequester
from hw.stream.token_buffer import TokenBuffer


class LookupContract(Contract[EngineSpec]):
    """What runs a layer on a :class:`hw.linear.lookup.lookup_engine.LookupEngine`."""

    COMPONENT = LookupEngine
    ASKED = TokenBuffer.LATENCY + WeightRequester.LATENCY
    WEIGHTS: ClassVar = {"weight_request_o": "weight_i"}

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

    def golden(self, layer: QuantizedLinear, x: BitArray, factor: Scale | None = None) -> Result:
        """Return what the engine makes of tokens (T, K) and their factors (T,), bit for bit."""
        return forward(layer, x, factor)

    def weight_beats(self, inputs: int, outputs: int, k_top: int) -> int:
        """Return the beats of weights that a token takes, one a cycle."""
        spec = self.spec
        return lookup_beats(
            inputs,
            outputs,
            2 * k_top,
            inputs_per_beat=spec.inputs_per_beat,
            output_lanes=spec.output_lanes,
            digits=spec.numbers.residual_digits(inputs),
        )

    def main_cycles(self, inputs: int, outputs: int, k_top: int) -> int:
        """Return the cycles of a token's beats, and of what a tile of few beats waits for."""
        tiles = -(-outputs // self.spec.output_lanes)
        return tiles * max(self.weight_beats(inputs, 1, k_top), self.spec.tile_cycles)

    def compensation_cycles(self, outputs: int, k_top: int) -> int:
        """Return the cycles of an outlier branch of its own: there is none."""
        return 0

    def alone(self, inputs: int, outputs: int, k_top: int, *, later: int = 1) -> int:
        """Return the cycles from a lone token's first weights to its last outputs, both in."""
        beats = self.weight_beats(inputs, 1, k_top)
        earlier = self.main_cycles(inputs, outputs, k_top) - max(beats, self.spec.tile_cycles)
        rest = (outputs - 1) % self.spec.output_lanes + 1  # channels of the last tile
        way_out = 2 + self.component.output.latency + -(-rest // self.spec.scale_lanes)
        return earlier + beats + way_out

    @property
    def multiply_accumulates(self) -> int:
        """Of the main branch, per cycle."""
        return self.spec.inputs_per_beat * self.spec.output_lanes
