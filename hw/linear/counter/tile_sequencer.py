"""Tile sequencer: the order in which a token's index pairs are counted."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from hw.linear.counter.counter_spec import CounterSpec


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
        beat = self.o.payload
        tile, address = Signal.like(beat.tile), Signal.like(beat.address)
        tile_last = Signal()
        m.d.comb += [
            tile_last.eq((tile + 1) << exact_log2(self.spec.output_lanes) >= self.shape.outputs),
            self.o.valid.eq(self.available),
            beat.tile.eq(tile),
            beat.address.eq(address),
            beat.first.eq(address == 0),
            beat.last.eq((address + 1) << exact_log2(self.spec.pairs) >= self.shape.inputs),
            beat.token_last.eq(beat.last & tile_last),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += address.eq(Mux(beat.last, 0, address + 1))
            with m.If(beat.last):
                m.d.sync += tile.eq(Mux(tile_last, 0, tile + 1))
        return m
