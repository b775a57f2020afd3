"""FP16 quantiser: codes, FP16 errors and outlier positions."""

from hw.linear.counter.counter_quantizer import CounterQuantizer
from hw.linear.counter_fp16.error_store import ErrorStore


class Fp16Quantizer(CounterQuantizer):
    """A :class:`hw.linear.counter.counter_quantizer.CounterQuantizer` with FP16 errors.

    ``rows`` has an outlier's error a word.
    """

    def make_residuals(self) -> ErrorStore:
        """Return what works on the errors."""
        return ErrorStore(self.spec)
