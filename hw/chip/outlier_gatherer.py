"""Outlier gatherer: the weight codes of a token's outliers, side by side, ahead of their beats."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.utils import exact_log2

from hw.chip.chip_spec import ChipSpec
from hw.chip.tile_buffer import GATHERED, RowPort
from hw.chip.tile_fetcher import tiles_range
from hw.stream.component import In, Out, Sized
from hw.stream.token_buffer import ReadPort
from hw.stream.walk import Loop, Walk


class OutlierGatherer(Sized[ChipSpec]):
    """Read the rows of outliers one by one, and write them side by side.

    Outliers lie anywhere in a tile. Their rows are read while the lookups are at the token's other
    beats, in the order in which the beats of outliers are asked for: tile by tile, token by token.

    Timing
    ------
    Latency : 3 cycles from ``outliers.filled`` to ``gathered`` for a lone outlier, with the tile
        there.
    Rate : a row per cycle, but for a cycle between two beats.
    Through paths : ``filled`` to ``outliers`` and ``rows``; ``rows.row`` to ``rows.write_row``;
        combinational.
    Reset : drops what is under way.
    """

    outputs = In(lambda c: range(c.spec.engine.outputs_max + 1))
    """Output channels of the layer. This and the next two are steady while tokens are under way."""
    count = In(lambda c: range(2 * c.spec.engine.outliers_max + 1))
    """Outliers of a token."""
    together = In(lambda c: c.spec.engine.together)
    """As for :class:`hw.linear.lookup.beat_sequencer.BeatSequencer`."""
    outliers = Out(
        lambda c: ReadPort(
            *(c.spec.engine.position_bits, c.spec.engine.inputs_per_beat),
            *(c.spec.engine.groups_max,),
            again=True,
        )
    )
    """Input channels of tokens' outliers."""
    filled = In(lambda c: tiles_range(c.spec))
    """Tiles of this step that are in the buffer, or were."""
    rows = Out(lambda c: RowPort(c.spec))
    """Side of the tile buffer. Beats are written to one place after another."""
    gathered = Out(1)
    """Whether a beat is whole that is still needed."""
    done = In(1)
    """Strobe: the oldest of these is not needed any more."""

    def build(self, m: Module) -> None:  # noqa: D102
        engine = self.spec.engine
        lanes, lane_bits = engine.inputs_per_beat, exact_log2(engine.inputs_per_beat)
        walk = self.put(
            m,
            "walk",
            Walk(
                (
                    Loop("tile", engine.outputs_max, engine.output_lanes),
                    Loop("token", engine.tokens_together),
                    Loop("outlier", 2 * engine.outliers_max),
                )
            ),
        )
        tile, token, outlier = (walk.o.payload[loop.name] for loop in walk.loops)

        # Where an outlier is; what is read of it; its row: three stages.
        placed, row_read = Signal(), Signal()
        place_tile, lane = Signal.like(tile.index), Signal(range(lanes))
        ends, row_ends = Signal(), Signal()
        go, whole = Signal(), Signal()
        held = Signal(range(GATHERED + 1))
        advance = ~placed | go
        step = walk.o.valid & advance
        m.d.comb += [
            walk.counts.tile.eq(self.outputs),
            walk.counts.token.eq(self.together),
            walk.counts.outlier.eq(self.count),
            walk.available.eq(self.outliers.filled),
            walk.o.ready.eq(advance),
            self.outliers.en.eq(step),
            self.outliers.address.eq(outlier.index >> lane_bits),
            self.outliers.done.eq(step & outlier.ends),
            self.outliers.keep.eq(~tile.last),
            self.outliers.back.eq(token.last),
        ]
        with m.If(advance):
            m.d.sync += [placed.eq(walk.o.valid & (self.count != 0)), place_tile.eq(tile.index)]
            m.d.sync += [lane.eq(outlier.index), ends.eq(outlier.last)]
        channel = self.outliers.data.word_select(lane, engine.position_bits)
        group_ends = ends | (lane == lanes - 1)
        m.d.comb += [
            whole.eq(row_read & row_ends),
            go.eq(placed & (self.filled > place_tile) & (held != GATHERED) & ~whole),
            self.rows.en.eq(go),
            self.rows.half.eq(place_tile[0]),
            self.rows.beat.eq(Mux(go, channel[lane_bits:], 0)),
        ]
        m.d.sync += row_read.eq(go)
        with m.If(go):
            m.d.sync += [row_ends.eq(group_ends), self.rows.write_lane.eq(lane)]
            m.d.sync += self.rows.lane.eq(channel[:lane_bits])
        m.d.comb += [
            self.rows.write_en.eq(row_read),
            self.rows.write_row.eq(self.rows.row),
            self.gathered.eq(held != 0),
        ]
        m.d.sync += [
            self.rows.place.eq(self.rows.place + whole),
            held.eq(held + whole - self.done),
        ]
