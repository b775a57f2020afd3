"""FP16 row requester: asks for the weight codes that compensation needs, ahead of the MACs."""

from hw.linear.counter.row_requester import RowRequester
from hw.linear.counter_fp16.fp16_compensation_sequencer import Fp16CompensationSequencer
from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec


class Fp16RowRequester(RowRequester):
    """A :class:`~hw.linear.counter.row_requester.RowRequester` in the FP16 MACs' order of beats."""

    spec: Fp16CounterSpec

    def make_sequencer(self) -> Fp16CompensationSequencer:
        """Return what has the beats in their order."""
        return Fp16CompensationSequencer(self.spec)
