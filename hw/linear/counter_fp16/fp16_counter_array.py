"""FP16 counter array: lines side by side, fed beat by beat, their sums in a queue."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value

from golden.exact.counter_fp16 import BINS
from hw.linear.counter.counter_array import CounterArray
from hw.linear.counter_fp16.fp16_counter_line import Fp16CounterLine
from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec


class Fp16CounterArray(CounterArray):
    """A :class:`hw.linear.counter.counter_array.CounterArray` with FP16 products and FP16 sums.

    It has the same ports and timing, but for the numbers: ``product_table`` has an FP16 pattern for
    each bin, and ``o`` an FP16 sum for each line.
    """

    spec: Fp16CounterSpec

    def make_line(self) -> Fp16CounterLine:
        """Return a line."""
        return Fp16CounterLine(self.spec)

    def products(self, m: Module, last: Signal) -> dict[str, Value]:
        """Return what the lines' trees need beside counts: the products of a slice of bins."""
        assert Fp16CounterLine.BINS == 2, "the first slice is chosen in the cycle after last"
        lanes = self.spec.tree_lanes
        step = Signal(range(self.spec.steps))
        m.d.sync += step.eq(Mux(last, 0, step + (step != self.spec.steps - 1)))  # then rest
        entries = [Signal(16, name=f"entry{lane}", reset_less=True) for lane in range(lanes)]
        for lane, entry in enumerate(entries):
            numbers = range(lane, BINS, lanes)
            m.d.sync += entry.eq(Array(self.product_table[n] for n in numbers)[step])
        return {"entries": Cat(entries)}
