"""Tile requester: asks for the weight codes of each counting beat, ahead of the counters."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data

from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.counter.tile_sequencer import TileSequencer
from hw.stream.component import In, OutStream, Sized

TOKENS = 2  # no more are prepared ahead of the counters


class TileRequester(Sized[CounterSpec]):
    """Name the output tile and the input channels of every counting beat.

    These are parts of the weight matrix's columns: ``pairs`` input channels of a few outputs.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``prepared`` to ``o.valid``.
    Rate : one request per cycle while ``o.ready`` is high.
    Through paths : none.
    Reset : forgets all tokens; the next request is a token's first.
    """

    LATENCY = 1

    shape = In(lambda c: c.spec.shape)
    """Size of the layer. Steady while tokens are under way."""
    prepared = In(1)
    """Strobe: another token is there to be counted. At most two are at a time."""
    o = OutStream(lambda c: c.request)
    """``tile`` of output channels, and ``address``: input channels from ``pairs * address`` on.
    What is said of channels beyond the layer does not matter.
    """

    def __init__(self, spec: CounterSpec) -> None:
        self.request = data.StructLayout(
            {"tile": range(spec.tiles_max), "address": range(spec.counting_beats_max)}
        )
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        sequencer = self.put(m, "sequencer", TileSequencer(self.spec))
        tokens = Signal(range(TOKENS + 1))
        beat = sequencer.o.payload
        sent = self.o.valid & self.o.ready
        m.d.sync += tokens.eq(tokens + self.prepared - (sent & beat.token_last))
        m.d.comb += [
            sequencer.shape.eq(self.shape),
            sequencer.available.eq(tokens != 0),
            sequencer.o.ready.eq(self.o.ready),
            self.o.valid.eq(sequencer.o.valid),
            self.o.payload.tile.eq(beat.tile),
            self.o.payload.address.eq(beat.address),
        ]
