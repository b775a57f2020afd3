"""FP16 quantiser: codes, FP16 errors and outlier positions."""

from hw.linear.counter.counter_quantizer import CounterQuantizer
from hw.linear.counter_fp16.error_store import ErrorStore
from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec


class Fp16Quantizer(CounterQuantizer):
    """A :class:`hw.linear.counter.counter_quantizer.CounterQuantizer` with FP16 errors.

    ``rows`` has an outlier's error a word, and ``w_centroids`` is not used.

    Parameters
    ----------
    spec : Fp16CounterSpec
        Widths, pairs and the largest layer.

    Timing
    ------
    Latency : as there, with :class:`hw.linear.counter_fp16.error_store.ErrorStore` for the rows.
    Rate : one token at a time.
    Through paths : none.
    Reset : drops all tokens.
    """

    def __init__(self, spec: Fp16CounterSpec) -> None:
        super().__init__(spec)

    def make_residuals(self) -> ErrorStore:
        """Return what works on the errors."""
        return ErrorStore(self.spec)
