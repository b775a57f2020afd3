"""Compensation sequencer: the order in which a token's outliers are multiplied."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from hw.linear.counter.counter_spec import CounterSpec


class CompensationSequencer(wiring.Component):
    """Step through the groups of output channels, and in each through a token's outliers.

    With the outliers inside, only a group's sums are under way, not those of all channels.

    Parameters
    ----------
    spec : CounterSpec
        Lines, MACs and the largest layer.

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

    def __init__(self, spec: CounterSpec) -> None:
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
        group, address = Signal.like(beat.group), Signal.like(beat.address)
        some, group_last = Signal(), Signal()
        # Output channels of the groups before this one, and tiles from this one on.
        channels = exact_log2(spec.group_channels)
        left = Signal.like(self.shape.outputs)
        tiles = Signal.like(self.shape.outputs)
        lanes = exact_log2(spec.output_lanes)
        m.d.comb += [
            some.eq(self.shape.k_top != 0),
            left.eq(self.shape.outputs - (group << channels)),
            tiles.eq((left + (spec.output_lanes - 1)) >> lanes),
            group_last.eq(tiles <= spec.compensation_macs),
            self.o.valid.eq(self.available & some),
            beat.group.eq(group),
            beat.address.eq(address),
            beat.tiles.eq(Mux(group_last, tiles, spec.compensation_macs)),
            beat.first.eq(address == 0),
            beat.last.eq(address + 1 == self.shape.k_top << 1),
            beat.token_last.eq(beat.last & group_last),
            self.done.eq(self.available & (~some | (self.o.ready & beat.token_last))),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += address.eq(Mux(beat.last, 0, address + 1))
            with m.If(beat.last):
                m.d.sync += group.eq(Mux(group_last, 0, group + 1))
        return m
