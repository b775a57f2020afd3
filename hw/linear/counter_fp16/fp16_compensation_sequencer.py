"""FP16 compensation sequencer: the order in which a token's outliers are multiplied."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.utils import exact_log2

from hw.linear.counter.compensation_sequencer import CompensationSequencer
from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec
from hw.stream.walk import Loop, Walk


class Fp16CompensationSequencer(CompensationSequencer):
    """Step through blocks of output channels; in each through outliers; for each through groups.

    A group's sum is wanted again only after all other groups of its block. It has the ports of
    :class:`hw.linear.counter.compensation_sequencer.CompensationSequencer`.
    """

    spec: Fp16CounterSpec

    def loops(self) -> tuple[Loop, ...]:
        """Return what is stepped through, the outermost first."""
        spec = self.spec
        return (
            Loop("block", spec.outputs_max, spec.group_channels * spec.slots),
            Loop("address", 2 * spec.outliers_max),
            Loop("slot", spec.slots),
        )

    def follow(self, m: Module, walk: Walk) -> None:
        """Say how often a loop is gone through, and what is worked on in each pass."""
        spec, beat, item = self.spec, self.o.payload, walk.o.payload
        last_slot = Signal(exact_log2(spec.slots))  # of the last block
        m.d.comb += [
            last_slot.eq((self.shape.outputs - 1) >> exact_log2(spec.group_channels)),
            walk.counts.block.eq(self.shape.outputs),
            walk.counts.slot.eq(Mux(item.block.last, last_slot + 1, spec.slots)),
            beat.group.eq(Cat(item.slot.index, item.block.index)),
            beat.slot.eq(item.slot.index),
            beat.block_last.eq(item.address.ends),
            beat.token_last.eq(item.block.ends),
        ]
