"""Tile buffer: the weight codes of two tiles of output channels, beat by beat."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.utils import exact_log2

from hw.chip.chip_spec import ChipSpec
from hw.formats import INDEX_BITS
from hw.stream.component import In, Sized
from hw.stream.token_buffer import Port
from hw.stream.word_memory import WordMemory

GATHERED = 4  # beats of outliers that are held


class TileWrite(Port):
    """Side of the fetcher: a ``word`` of the bus, of a ``beat`` of the tile in one ``half``.

    The codes of ``keys`` stand output lane by output lane, others input lane by input lane.
    """

    def __init__(self, spec: ChipSpec) -> None:
        super().__init__(
            {
                "en": wiring.Out(1),
                "half": wiring.Out(1),
                "beat": wiring.Out(range(max(spec.engine.beats_max, 2))),
                "word": wiring.Out(range(max(spec.beat_words, 2))),
                "keys": wiring.Out(1),
                "data": wiring.Out(spec.bus_bits),
            }
        )


class TileRead(Port):
    """Side of the lookups: the ``data`` of a beat follows ``en`` by one cycle, and stays.

    ``gathered`` reads a beat of outliers instead, by its ``place``.
    """

    def __init__(self, spec: ChipSpec) -> None:
        super().__init__(
            {
                "en": wiring.Out(1),
                "half": wiring.Out(1),
                "beat": wiring.Out(range(max(spec.engine.beats_max, 2))),
                "gathered": wiring.Out(1),
                "place": wiring.Out(range(GATHERED)),
                "data": wiring.In(spec.beat_bits),
            }
        )


class RowPort(Port):
    """Side of what gathers rows.

    ``en`` reads the ``beat`` that a row lies in; the ``row`` of its input lane ``lane`` is there in
    the next cycle. ``write_en`` writes a row to lane ``write_lane`` of the beat of outliers at
    ``place``.
    """

    def __init__(self, spec: ChipSpec) -> None:
        lane = exact_log2(spec.engine.inputs_per_beat)
        super().__init__(
            {
                "en": wiring.Out(1),
                "half": wiring.Out(1),
                "beat": wiring.Out(range(max(spec.engine.beats_max, 2))),
                "lane": wiring.Out(lane),
                "row": wiring.In(spec.row_bits),
                "write_en": wiring.Out(1),
                "place": wiring.Out(range(GATHERED)),
                "write_lane": wiring.Out(lane),
                "write_row": wiring.Out(spec.row_bits),
            }
        )


class TileBuffer(Sized[ChipSpec]):
    """Hold the beats of two tiles, and a few beats of outliers, gathered from rows of these.

    Beats are kept input lane by input lane; keys are turned when they are written, where the codes
    have time, and not on their way to the lanes. Nothing else is on that way, either: it is the
    chip's longest. So rows are read from a copy of the tiles.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``read.en`` to ``read.data`` and from ``rows.en`` to
        ``rows.row``; what is written in the same cycle is not read yet.
    Rate : one beat and one row read per cycle; one word or one row written per cycle: not both.
    Through paths : ``rows.lane`` to ``rows.row``; combinational.
    Reset : the codes stay.
    """

    LATENCY = 1

    write = In(lambda c: TileWrite(c.spec))
    """Fills."""
    read = In(lambda c: TileRead(c.spec))
    """Reads beats."""
    rows = In(lambda c: RowPort(c.spec))
    """Reads rows, and writes them side by side."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        lanes, beats = spec.engine.inputs_per_beat, spec.engine.beats_max
        words = spec.beat_words
        # A word of the bus has some rows of a beat; of keys, its share of every row.
        # All is written to both: so one choice serves them.
        codes, copy = (
            WordMemory(spec.beat_bits, 2 * beats + GATHERED, lanes * words).put_in(self, m, name)
            for name in ("codes", "copy")
        )
        fill, get, rows = self.write, self.read, self.rows
        share_of, in_rows = Signal(words), Signal(lanes * words)  # which a word has, keys or not
        m.d.comb += [
            share_of.eq(1 << fill.word),
            in_rows.eq(Const((1 << lanes) - 1) << (fill.word * lanes)),
            codes.read_en.eq(get.en),
            codes.read_address.eq(
                Mux(get.gathered, 2 * beats + get.place, get.beat + Mux(get.half, beats, 0))
            ),
            get.data.eq(codes.read_data),
            copy.read_en.eq(rows.en),
            copy.read_address.eq(rows.beat + Mux(rows.half, beats, 0)),
            rows.row.eq(copy.read_data.word_select(rows.lane, spec.row_bits)),
        ]
        with m.If(fill.en):
            m.d.comb += [
                codes.write_en.eq(Mux(fill.keys, share_of.replicate(lanes), in_rows)),
                codes.write_address.eq(fill.beat + Mux(fill.half, beats, 0)),
                codes.write_data.eq(Mux(fill.keys, self._turned(), fill.data.replicate(words))),
            ]
        with m.Else():
            row = Const((1 << words) - 1, lanes * words) << (rows.write_lane * words)
            m.d.comb += [
                codes.write_en.eq(Mux(rows.write_en, row, 0)),
                codes.write_address.eq(2 * beats + rows.place),
                codes.write_data.eq(rows.write_row.replicate(lanes)),
            ]
        m.d.comb += [
            copy.write_en.eq(codes.write_en),
            copy.write_address.eq(codes.write_address),
            copy.write_data.eq(codes.write_data),
        ]

    def _turned(self) -> Value:
        """Return the share that a word of keys has in each row of a beat."""
        lanes, words = self.spec.engine.inputs_per_beat, self.spec.beat_words
        code, outputs = self.write.data.word_select, self.spec.engine.output_lanes // words
        rows = (
            Cat(code(output * lanes + lane, INDEX_BITS) for output in range(outputs))
            for lane in range(lanes)
        )
        return Cat(row.replicate(words) for row in rows)
