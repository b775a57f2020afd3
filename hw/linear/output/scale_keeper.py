"""Scale keeper: the scales of tokens that meet a tile one behind the other, again for each tile."""

from amaranth.hdl import Module, Signal

from hw.engine_spec import EngineSpec
from hw.formats import SCALE
from hw.stream.component import In, InStream, OutStream, Sized
from hw.stream.queue import Queue
from hw.stream.walk import Loop, Walk


class ScaleKeeper(Sized[EngineSpec]):
    """Give the scales of ``together`` tokens for their first tile as they come, then again.

    What is not a token's last tile sends its scale round, through a queue of its own.

    Timing
    ------
    Latency : 0 cycles for a token's first tile, else there since 3 cycles after the tile before.
    Rate : one scale per cycle.
    Through paths : ``i.valid`` to ``o.valid``, ``i.payload`` to ``o.payload``, ``o.ready`` to
        ``i.ready``; combinational.
    Reset : drops the scales; the next one is a token's first.
    """

    LATENCY = 0

    shape = In(lambda c: c.spec.shape)
    """Size of the layer. This and the next one are steady while tokens are under way."""
    together = In(lambda c: c.spec.together)
    """As for :class:`hw.linear.lookup.beat_sequencer.BeatSequencer`."""
    i = InStream(SCALE)
    """A scale for each token."""
    o = OutStream(SCALE)
    """A scale for each tile of each token."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        walk = self.put(
            m,
            "walk",
            Walk(
                (
                    Loop("tile", spec.outputs_max, spec.output_lanes),
                    Loop("token", spec.tokens_together),
                )
            ),
        )
        kept = self.put(m, "kept", Queue(SCALE, spec.tokens_together))
        goes, going = Signal(), Signal(SCALE)  # on the way there: its room is known too late
        tile = walk.o.payload.tile
        taken = self.o.valid & self.o.ready
        m.d.comb += [
            walk.counts.tile.eq(self.shape.outputs),
            walk.counts.token.eq(self.together),
            walk.available.eq(self.o.valid),
            walk.o.ready.eq(self.o.ready),
            kept.i.valid.eq(goes),
            kept.i.payload.eq(going),
        ]
        m.d.sync += [goes.eq(taken & ~tile.last), going.eq(self.o.payload)]
        for source, chosen in ((self.i, tile.first), (kept.o, ~tile.first)):
            m.d.comb += source.ready.eq(self.o.ready & chosen)
            with m.If(chosen):
                m.d.comb += [self.o.valid.eq(source.valid), self.o.payload.eq(source.payload)]
