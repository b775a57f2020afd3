"""FP16 tile reader: the sums of a block of output channels, tile by tile."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec
from hw.stream.component import In, Out, OutStream, Sized
from hw.stream.token_buffer import ReadPort


class Fp16TileReader(Sized[Fp16CounterSpec]):
    """Read the groups of a block one after another, and hand out their tiles.

    Timing
    ------
    Latency : ``LATENCY`` cycles from ``blocks.filled`` to ``o.valid``.
    Rate : a group of tiles, one a cycle, and a cycle between groups.
    Through paths : ``o.ready`` to ``blocks.en``, combinational.
    Reset : drops the tiles under way; the next block is a token's first.
    """

    LATENCY = 2

    outputs = In(lambda c: range(c.spec.outputs_max + 1))
    """N, the number of output channels. Steady while tokens are under way."""
    blocks = Out(lambda c: ReadPort(c.spec.group_word.size, 1, c.spec.slots))
    """Sums of ``slots`` groups, one a word; fewer at the end of a token."""
    o = OutStream(lambda c: c.spec.compensation_tile)
    """Their tiles, those within the layer."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        tiles = Signal(data.ArrayLayout(spec.compensation_tile, spec.compensation_macs))
        left = Signal(range(spec.compensation_macs + 1))
        group = Signal(range(spec.channel_groups_max))
        read, last, free = Signal(), Signal(), Signal()
        # Tiles from this group on; only a token's last group may have fewer than there are MACs.
        first_tile = group << exact_log2(spec.compensation_macs)
        count = Signal(range(spec.tiles_max + 1))
        m.d.comb += [
            count.eq(
                (self.outputs + (spec.output_lanes - 1) >> exact_log2(spec.output_lanes))
                - first_tile
            ),
            last.eq(count <= spec.compensation_macs),
            free.eq((left == 0) | ((left == 1) & self.o.ready)),
            self.blocks.address.eq(group[: exact_log2(spec.slots)]),
            self.blocks.en.eq(self.blocks.filled & ~read & free),
            self.blocks.done.eq(self.blocks.en & (last | group[: exact_log2(spec.slots)].all())),
            self.o.valid.eq(left != 0),
            self.o.payload.eq(tiles[0]),
        ]
        held = Signal.like(left)  # tiles of the group that is being read
        m.d.sync += read.eq(self.blocks.en)
        with m.If(self.blocks.en):
            m.d.sync += [
                held.eq(Mux(last, count, spec.compensation_macs)),
                group.eq(Mux(last, 0, group + 1)),
            ]
        with m.If(read):
            m.d.sync += [left.eq(held), tiles.eq(self.blocks.data)]
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += [
                left.eq(left - 1),
                tiles.eq(tiles.as_value() >> spec.compensation_tile.size),
            ]
