"""Tile buffer: the weight codes of two tiles of output channels, beat by beat."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.utils import exact_log2

from hw.chip.chip_spec import ChipSpec
from hw.formats import INDEX_BITS
from hw.stream.component import In, Sized
from hw.stream.token_buffer import Port
from hw.stream.word_memory import WordMemory


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

    ``waits``: what was read last is still to be taken.
    """

    def __init__(self, spec: ChipSpec) -> None:
        super().__init__(
            {
                "en": wiring.Out(1),
                "half": wiring.Out(1),
                "beat": wiring.Out(range(max(spec.engine.beats_max, 2))),
                "waits": wiring.Out(1),
                "data": wiring.In(spec.beat_bits),
            }
        )


class RowRead(Port):
    """Side of what gathers rows: reads the ``beat`` that a row lies in, if its bank is ``free``.

    The ``row`` of input lane ``lane`` is there in the cycle behind ``en`` and ``free``.
    """

    def __init__(self, spec: ChipSpec) -> None:
        super().__init__(
            {
                "en": wiring.Out(1),
                "half": wiring.Out(1),
                "beat": wiring.Out(range(max(spec.engine.beats_max, 2))),
                "free": wiring.In(1),
                "lane": wiring.Out(exact_log2(spec.engine.inputs_per_beat)),
                "row": wiring.In(spec.row_bits),
            }
        )


class TileBuffer(Sized[ChipSpec]):
    """Hold the beats of two tiles in two banks, of even and of odd beats.

    Lookups read one bank and then the other, so that in every cycle a row can be read from the bank
    that they leave alone. Beats are kept input lane by input lane; keys are turned when they are
    written, where the codes have time, and not on their way to the lanes.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``read.en`` to ``read.data`` and from ``rows.en`` to
        ``rows.row``; what is written in the same cycle is not read yet.
    Rate : one beat read, one row and one word written per cycle, the row from another bank than the
        beat and than one that waits.
    Through paths : ``read`` to ``rows.free``, ``rows.beat`` to ``rows.free``, ``rows.lane`` to
        ``rows.row``; combinational.
    Reset : the codes stay.
    """

    LATENCY = 1

    write = In(lambda c: TileWrite(c.spec))
    """Fills."""
    read = In(lambda c: TileRead(c.spec))
    """Reads beats."""
    rows = In(lambda c: RowRead(c.spec))
    """Reads rows."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        lanes, words = spec.engine.inputs_per_beat, spec.beat_words
        depth = -(-spec.engine.beats_max // 2)  # of a half in a bank
        # A word of the bus has some rows of a beat; of keys, its share of every row.
        fill, get, rows = self.write, self.read, self.rows
        share_of, in_rows = Signal(words), Signal(lanes * words)  # which a word has, keys or not
        m.d.comb += [
            share_of.eq(1 << fill.word),
            in_rows.eq(Const((1 << lanes) - 1) << (fill.word * lanes)),
        ]
        word = Mux(fill.keys, self._turned(), fill.data.replicate(words))
        shown, row_shown = Signal(), Signal()  # the bank that was read last
        with m.If(get.en):
            m.d.sync += shown.eq(get.beat[0])
        with m.If(rows.en & rows.free):
            m.d.sync += row_shown.eq(rows.beat[0])
        beats, found, free = [], [], []
        for odd in (0, 1):
            bank = WordMemory(spec.beat_bits, 2 * depth, lanes * words)
            bank.put_in(self, m, f"bank{odd}")
            mine = Signal(name=f"mine{odd}")  # lookups read this bank
            m.d.comb += [
                mine.eq(get.en & (get.beat[0] == odd)),
                bank.write_en.eq(
                    Mux(
                        fill.en & (fill.beat[0] == odd),
                        Mux(fill.keys, share_of.replicate(lanes), in_rows),
                        0,
                    )
                ),
                bank.write_address.eq((fill.beat >> 1) + Mux(fill.half, depth, 0)),
                bank.write_data.eq(word),
                bank.read_en.eq(mine | (rows.en & rows.free & (rows.beat[0] == odd))),
                bank.read_address.eq(
                    Mux(mine, get.beat >> 1, rows.beat >> 1)
                    + Mux(Mux(mine, get.half, rows.half), depth, 0)
                ),
            ]
            free.append(~mine & ~(get.waits & (shown == odd)))
            beats.append(bank.read_data)
            found.append(bank.read_data.word_select(rows.lane, spec.row_bits))
        m.d.comb += [
            rows.free.eq(Mux(rows.beat[0], free[1], free[0])),
            get.data.eq(Mux(shown, beats[1], beats[0])),
            rows.row.eq(Mux(row_shown, found[1], found[0])),
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
