"""Tile buffer: the weight codes of two tiles of output channels, beat by beat."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.utils import exact_log2

from hw.chip.chip_spec import ChipSpec
from hw.stream.component import In, Sized
from hw.stream.token_buffer import Port


class TileWrite(Port):
    """Side of the fetcher: a ``word`` of the bus, of a ``beat`` of the tile in one ``half``."""

    def __init__(self, spec: ChipSpec) -> None:
        super().__init__(
            {
                "en": wiring.Out(1),
                "half": wiring.Out(1),
                "beat": wiring.Out(range(max(spec.engine.beats_max, 2))),
                "word": wiring.Out(range(max(spec.beat_words, 2))),
                "data": wiring.Out(spec.bus_bits),
            }
        )


class TileRead(Port):
    """Side of the lookups: the ``data`` of a beat follows ``en`` by one cycle, and stays.

    ``gathered`` reads the beat that was written row by row instead: ``row_en`` writes ``row`` to
    its input lane ``lane``.
    """

    def __init__(self, spec: ChipSpec) -> None:
        super().__init__(
            {
                "en": wiring.Out(1),
                "half": wiring.Out(1),
                "beat": wiring.Out(range(max(spec.engine.beats_max, 2))),
                "gathered": wiring.Out(1),
                "data": wiring.In(spec.beat_bits),
                "row_en": wiring.Out(1),
                "lane": wiring.Out(exact_log2(spec.engine.inputs_per_beat)),
                "row": wiring.Out(spec.row_bits),
            }
        )


class TileBuffer(Sized[ChipSpec]):
    """Hold the beats of two tiles, and one beat more that is gathered from rows of a tile.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``read.en`` to ``read.data``; what is written in the same
        cycle is not read yet.
    Rate : one beat read per cycle; one word or one row written per cycle: not both.
    Through paths : none.
    Reset : the codes stay.
    """

    LATENCY = 1

    write = In(lambda c: TileWrite(c.spec))
    """Fills."""
    read = In(lambda c: TileRead(c.spec))
    """Reads."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        lanes, beats = spec.engine.inputs_per_beat, spec.engine.beats_max
        rows = spec.bus_bits // spec.row_bits  # of a word of the bus
        layout = data.ArrayLayout(spec.row_bits, lanes)
        m.submodules.codes = codes = Memory(shape=layout, depth=2 * beats + 1, init=[])
        write, read = codes.write_port(granularity=1), codes.read_port()
        spare = 2 * beats
        fill, get = self.write, self.read
        word_lanes = Signal(lanes)
        m.d.comb += [
            word_lanes.eq(Cat(Const(1, 1).replicate(rows)) << (fill.word * rows)),
            write.en.eq(Mux(fill.en, word_lanes, get.row_en << get.lane)),
            write.addr.eq(Mux(fill.en, fill.beat + Mux(fill.half, beats, 0), spare)),
            write.data.eq(
                Mux(
                    fill.en,
                    fill.data.replicate(spec.beat_words),
                    get.row.replicate(lanes),
                )
            ),
            read.en.eq(get.en),
            read.addr.eq(Mux(get.gathered, spare, get.beat + Mux(get.half, beats, 0))),
            get.data.eq(read.data),
        ]
