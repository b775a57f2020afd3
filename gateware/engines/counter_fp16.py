"""What runs a layer on an FP16 counter engine."""

from collections.abc import Iterator
from dataclasses import replace

from gateware.engines.contract import Constant
from gateware.engines.counter import CounterContract
from golden.base.errors import InputError
from golden.exact import counter_fp16
from golden.exact.counter_fp16 import fp16_linear
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear, Result, forward
from golden.exact.token_scale import Scale
from hw.linear.counter_fp16.fp16_counter_engine import Fp16CounterEngine
from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec
from hw.linear.shell.layer_constants import Select


class Fp16CounterContract(CounterContract):
    """What runs a layer on a :class:`hw.linear.counter_fp16.fp16_counter_engine.Fp16CounterEngine`.

    Layers are the integer ones; their constants are rounded to FP16 on the way.
    """

    COMPONENT = Fp16CounterEngine
    spec: Fp16CounterSpec

    def require(self, layer: QuantizedLinear) -> None:
        """Raise InputError if the engine is too small for a layer, or for other codebooks."""
        self.require_size(inputs=layer.inputs, outputs=layer.outputs, k_top=layer.k_top)
        symmetric = self.spec.numbers.symmetric
        if layer.spec.symmetric != symmetric:
            kinds = ("plain", "symmetric")
            raise InputError(
                f"the layer has {kinds[layer.spec.symmetric]} codebooks; this engine is made for"
                f" {kinds[symmetric]} ones"
            )

    def constants(self, layer: QuantizedLinear) -> Iterator[Constant]:
        """Yield FP16 patterns: weight codebook by code, product table by bin, output channels."""
        model = fp16_linear(layer)
        yield from ((Select.W_CENTROID, n, value) for n, value in enumerate(model.w_codebook))
        yield from ((Select.TABLE, n, v) for n, v in enumerate(model.product_table.ravel()))
        for n, (bias, scale) in enumerate(zip(model.bias, model.w_scale, strict=True)):
            yield Select.CHANNEL, n, int(bias) | int(scale) << 16

    def golden(self, layer: QuantizedLinear, x: BitArray, factor: Scale | None = None) -> Result:
        """Return what the engine makes of tokens (T, K), bit for bit; it takes no factors.

        Scales, indices and outliers are those of the integer engines, and so are ``sums``, which
        this engine does not have; outputs and their overflow are FP16's, and nothing saturates.
        """
        self.factor_words(len(x), factor)
        integers = forward(layer, x)
        result = counter_fp16.forward(layer, x, integers)
        return replace(
            integers,
            y=result.y,
            overflow=result.overflow,
        )

    def summed(self, outputs: int, block: int, outliers: int) -> int:
        """Return the cycles from the first row of weights to the sums of the first blocks.

        Every outlier takes a turn of all slots, but for the last one.
        """
        spec = self.spec
        groups = -(-outputs // spec.group_channels)
        used = min(spec.slots, groups - (block - 1) * spec.slots)  # slots of the last turn
        turns = (block * outliers - 1) * spec.slots
        return turns + used - 1 + self.component.compensation.LATENCY

    @property
    def way_out(self) -> int:
        """Cycles from a tile's sums to its first outputs."""
        return self.component.output.LATENCY
