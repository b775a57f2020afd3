"""An FP16 counter engine in the simulator: as one of integers, with other constants."""

from typing import Any

from golden.exact import counter_fp16
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear, forward
from sim.kit.counter_bed import CounterBed
from sim.kit.counter_fp16_words import fp16_load_words


class Fp16CounterBed(CounterBed):
    """Loads layers into an FP16 counter engine and runs tokens; see :class:`CounterBed`."""

    def expected(self, layer: QuantizedLinear, x: BitArray) -> tuple[BitArray, dict[str, Any]]:
        """Return outputs and flags as the golden model of this arithmetic has them."""
        integers = forward(layer, x)
        result = counter_fp16.forward(layer, x, integers)
        flags = {
            "nonfinite": integers.nonfinite.any(),
            "saturated": 0,
            "overflow": result.overflow.any(),
        }
        return result.y, flags

    def words(self, layer: QuantizedLinear) -> list[dict]:
        """Return the words that load a layer's constants."""
        return fp16_load_words(self.block.spec, layer)
