"""Tile sequencer: the order in which a token's index pairs are counted."""

from amaranth.hdl import Module

from hw.linear.counter.counter_spec import CounterSpec
from hw.stream.component import In, OutStream, Sized
from hw.stream.walk import Loop, Walk


class TileSequencer(Sized[CounterSpec]):
    """Step through the tiles of a layer, and in each through the input channels.

    Timing
    ------
    Latency : 0 cycles from ``available`` to ``o.valid``.
    Rate : one beat per cycle while ``available`` and ``o.ready`` are high, across tokens too.
    Through paths : ``available`` to ``o.valid``, combinational.
    Reset : the next beat is a token's first.
    """

    LATENCY = 0

    shape = In(lambda c: c.spec.shape)
    """Size of the layer. Steady while tokens are under way."""
    available = In(1)
    """Whether there is a token to work on."""
    o = OutStream(lambda c: c.spec.counting_beat)
    """Its beats, ceil(K / pairs) for each of ceil(N / lines) tiles; ``token_last`` marks the one
    after which the token is not needed any more.
    """

    def build(self, m: Module) -> None:  # noqa: D102
        spec, beat = self.spec, self.o.payload
        walk = self.put(
            m,
            "walk",
            Walk(
                (
                    Loop("tile", spec.outputs_max, spec.output_lanes),
                    Loop("address", spec.inputs_max, spec.pairs),
                )
            ),
        )
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
