"""Tile fetcher: the weight codes of one tile after another, ahead of the lookups."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.utils import exact_log2

from hw.chip.address import Address
from hw.chip.chip_spec import COUNT_BITS, REQUEST, STEP, ChipSpec, words_of
from hw.chip.tile_buffer import TileWrite
from hw.chip.unit import Unit
from hw.stream.component import In, InStream, Out, OutStream

AHEAD = 3  # tiles that are asked for and not released


def tiles_range(spec: ChipSpec) -> range:
    """Return how many tiles a step may have had."""
    return range(spec.engine.tiles_max + 1)


class TileFetcher(Unit):
    """Ask for the tiles of a LINEAR step and write them to the tile buffer.

    The first one is asked for before the step. Tiles are asked for before the buffer has room for
    them, so that it does not wait for memory: words that come too early wait on the bus.

    Timing
    ------
    Latency : a word is written in the cycle in which it comes.
    Rate : one word of the bus per cycle, across tiles too, while the buffer has room.
    Through paths : ``i`` to ``write``, ``hold`` to ``i.ready``; combinational.
    Reset : drops the step.
    """

    ahead = In(STEP)
    """The instruction that begins next; steady from ``asks`` until it does."""
    asks = In(1)
    """Strobe: ask for its first tile, as for :class:`hw.chip.unit.Reader`."""
    request_o = OutStream(REQUEST)
    """``words`` of the bus from ``address`` on."""
    i = InStream(lambda c: c.spec.word)
    """Those words."""
    write = Out(lambda c: TileWrite(c.spec))
    """Side of the tile buffer."""
    hold = In(1)
    """Whether the buffer's write side is in use."""
    filled = Out(lambda c: tiles_range(c.spec))
    """Tiles of this step that are in the buffer, or were."""
    asking = Out(1)
    """Whether tiles are still to be asked for."""
    released = In(lambda c: tiles_range(c.spec))
    """Tiles of this step that are not needed any more."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec, step, engine = self.spec, self.step, self.spec.engine
        beats, first = Signal(COUNT_BITS), Signal()  # `first`: the tile at hand is a step's first
        tiles, asked = Signal.like(self.filled), Signal.like(self.filled)
        address = Address(m, "address")
        beat, word = Signal(range(max(engine.beats_max, 2))), Signal(range(max(spec.beat_words, 2)))
        taken, end_of_beat, end_of_tile, done = Signal(), Signal(), Signal(), Signal()
        room, full, left = Signal(), Signal(), Signal()
        busy = self.run(m, done)
        request = self.request_o
        going = Signal()
        m.d.comb += [
            beats.eq(words_of(step.count, engine.inputs_per_beat)),
            request.payload.words.eq(
                Mux(first, words_of(self.ahead.count, engine.inputs_per_beat), beats)
                << exact_log2(spec.beat_words)
            ),
            tiles.eq(words_of(step.outputs, engine.output_lanes)),
            request.payload.address.eq(address.value),
            request.valid.eq(going),
            self.i.ready.eq(busy & ~done & ~full & ~self.hold),
            taken.eq(self.i.valid & self.i.ready),
            end_of_beat.eq(word == spec.beat_words - 1),
            end_of_tile.eq(end_of_beat & (beat + 1 == beats)),
            done.eq(self.filled == tiles),
            self.write.keys.eq(step.keys),
            self.write.data.eq(self.i.payload.data),
        ]
        # Two bits tell how far they are ahead of what is released.
        m.d.comb += [
            room.eq((asked - self.released)[:2] != AHEAD),
            full.eq((self.filled - self.released)[:2] == 2),
            left.eq(busy & (asked != tiles)),
            self.asking.eq(going | left),
        ]
        with m.If(self.asks):
            m.d.sync += [*address.put(self.ahead.address), going.eq(1), first.eq(1)]
        with m.Elif(self.start):
            m.d.sync += [*address.grow(step.step), asked.eq(1), self.filled.eq(0)]
            m.d.sync += [beat.eq(0), word.eq(0)]
        with m.Elif(going):
            with m.If(request.ready):
                m.d.sync += [going.eq(0), first.eq(0)]
                with m.If(~first):
                    m.d.sync += [*address.grow(step.step), asked.eq(asked + 1)]
        with m.Elif(left & room):
            m.d.sync += going.eq(1)
        with m.If(taken):
            m.d.comb += [
                self.write.en.eq(1),
                self.write.half.eq(self.filled[0]),
                self.write.beat.eq(beat),
                self.write.word.eq(word),
            ]
            m.d.sync += word.eq(word + 1)
            with m.If(end_of_beat):
                m.d.sync += [word.eq(0), beat.eq(beat + 1)]
            with m.If(end_of_tile):
                m.d.sync += [beat.eq(0), self.filled.eq(self.filled + 1)]
