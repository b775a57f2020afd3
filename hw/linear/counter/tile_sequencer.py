"""Tile sequencer: the order in which a token's index pairs are counted."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.linear.counter.counter_spec import CounterSpec
from hw.stream.share import share
from hw.stream.walk import Loop, Walk


class TileSequencer(wiring.Component):
    """Step through the tiles of a layer, and in each through the input channels.

    Parameters
    ----------
    spec : CounterSpec
        Lines, pairs and the largest layer.

    Ports
    -----
    shape : In(spec.shape)
        Size of the layer. Steady while tokens are under way.
    available : In(1)
        Whether there is a token to work on.
    o : Out(stream of spec.counting_beat)
        Its beats, ceil(K / pairs) for each of ceil(N / lines) tiles; ``token_last`` marks the
        one after which the token is not needed any more.

    Timing
    ------
    Latency : 0 cycles from ``available`` to ``o.valid``.
    Rate : one beat per cycle while ``available`` and ``o.ready`` are high, across tokens too.
    Through paths : ``available`` to ``o.valid``, combinational.
    Reset : the next beat is a token's first.
    """

    LATENCY = 0

    shape: data.View
    available: Signal
    o: stream.Interface

    def __init__(self, spec: CounterSpec) -> None:
        self.spec = spec
        ports = {
            "shape": In(spec.shape),
            "available": In(1),
            "o": Out(stream.Signature(spec.counting_beat)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        spec, beat = self.spec, self.o.payload
        walk = Walk(
            (
                Loop("tile", spec.outputs_max, spec.output_lanes),
                Loop("address", spec.inputs_max, spec.pairs),
            )
        )
        m.submodules.walk = share(platform, walk)
        tile, address = walk.o.payload.tile, walk.o.payload.address
        m.d.comb += [
            walk.counts.tile.eq(self.shape.outputs),
            walk.counts.address.eq(self.shape.inputs),
            walk.available.eq(self.available),
            walk.o.ready.eq(self.o.ready),
            self.o.valid.eq(walk.o.valid),
            beat.tile.eq(tile.index),
            beat.address.eq(address.index),
            beat.first.eq(address.first),
            beat.last.eq(address.last),
            beat.token_last.eq(tile.ends),
        ]
        return m
