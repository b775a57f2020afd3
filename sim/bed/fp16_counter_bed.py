"""An FP16 counter engine in the simulator: as one of integers, with other constants."""

from golden.linear import QuantizedLinear
from sim.bed.counter_bed import CounterBed
from sim.counter_fp16_words import fp16_load_words


class Fp16CounterBed(CounterBed):
    """Loads layers into an FP16 counter engine and runs tokens; see :class:`CounterBed`."""

    def words(self, layer: QuantizedLinear) -> list[dict]:
        """Return the words that load a layer's constants."""
        return fp16_load_words(self.block.spec, layer)
