"""FP16 compensation sequencer: the order in which a token's outliers are multiplied."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec


class Fp16CompensationSequencer(wiring.Component):
    """Step through blocks of output channels; in each through outliers; for each through groups.

    A group's sum is wanted again only after all other groups of its block.

    Parameters
    ----------
    spec : Fp16CounterSpec
        Lines, MACs, slots and the largest layer.

    Ports
    -----
    shape : In(spec.shape)
        Size of the layer. Steady while tokens are under way.
    available : In(1)
        Whether there is a token to work on.
    o : Out(stream of spec.compensation_beat)
        Its beats, one for each outlier and group; ``address`` is the outlier's number.
    done : Out(1)
        Strobe: the token is not needed any more, after this cycle's beat; at once if it has no
        outliers.

    Timing
    ------
    Latency : 0 cycles from ``available`` to ``o.valid``.
    Rate : one beat per cycle while ``available`` and ``o.ready`` are high, across tokens too.
    Through paths : ``available`` to ``o.valid``; it and ``o.ready`` to ``done``; combinational.
    Reset : the next beat is a token's first.
    """

    LATENCY = 0

    shape: data.View
    available: Signal
    o: stream.Interface
    done: Signal

    def __init__(self, spec: Fp16CounterSpec) -> None:
        self.spec = spec
        ports = {
            "shape": In(spec.shape),
            "available": In(1),
            "o": Out(stream.Signature(spec.compensation_beat)),
            "done": Out(1),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        spec = self.spec
        beat = self.o.payload
        slot_bits = exact_log2(spec.slots)
        slot, address = Signal.like(beat.slot), Signal.like(beat.address)
        block = Signal(max(len(beat.group) - slot_bits, 1))
        some, slot_last, group_last = Signal(), Signal(), Signal()
        last_group = Signal(len(block) + slot_bits)
        m.d.comb += [
            some.eq(self.shape.k_top != 0),
            last_group.eq((self.shape.outputs - 1) >> exact_log2(spec.group_channels)),
            group_last.eq(Cat(slot, block) == last_group),
            slot_last.eq(group_last | (slot == spec.slots - 1)),
            self.o.valid.eq(self.available & some),
            beat.group.eq(Cat(slot, block)),
            beat.slot.eq(slot),
            beat.address.eq(address),
            beat.first.eq(address == 0),
            beat.last.eq(address + 1 == self.shape.k_top << 1),
            beat.block_last.eq(beat.last & slot_last),
            beat.token_last.eq(beat.last & group_last),
            self.done.eq(self.available & (~some | (self.o.ready & beat.token_last))),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += slot.eq(Mux(slot_last, 0, slot + 1))
            with m.If(slot_last):
                m.d.sync += address.eq(Mux(beat.last, 0, address + 1))
            with m.If(beat.block_last):
                m.d.sync += block.eq(Mux(group_last, 0, block + 1))
        return m
