"""Lookup array: rows shared by all output lanes, weights looked up in them, sums per tile."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data

from hw.engine_spec import EngineSpec
from hw.formats import INDEX_BITS
from hw.linear.lookup.beat_sequencer import BeatSequencer, read_on
from hw.linear.lookup.lookup_lane import LookupLane
from hw.linear.lookup.row_maker import RowMaker
from hw.linear.lookup.row_select import RowSelect
from hw.stream.component import In, InStream, Out, Sized
from hw.stream.pipeline import later
from hw.stream.token_buffer import ReadPort


class LookupArray(Sized[EngineSpec]):
    """Multiply one token after another with the layer's weights, by lookup.

    The row of an activation is chosen once and broadcast to all output lanes; there each weight
    code picks its entry. Outliers are beats like the others, with residual rows for the table's.

    Timing
    ------
    Latency : ``LATENCY`` cycles from ``codes.filled`` to ``tile_en`` for a tile of one beat,
        with the weights waiting; one more for each further beat.
    Rate : one beat per cycle, across tiles and tokens, while weights come. A tile's last beat
        waits for ``room``, and until the tile before has come.
    Through paths : ``room`` to ``weight_i.ready``, and to ``en`` and ``done`` of ``codes`` and
        ``rows``; ``weight_i.valid`` to the latter; combinational.
    Reset : drops the sums under way; the next beat is a token's first.
    """

    LATENCY = 5

    shape = In(lambda c: c.spec.shape)
    """Size of the layer. This and the next two are steady while tokens are under way."""
    product_table = In(lambda c: c.spec.product_table)
    """As for :class:`hw.linear.lookup.row_select.RowSelect`; not where rows are made."""
    w_centroids = In(lambda c: c.spec.weight_codebook if c.spec.numbers.made else None)
    """As for :class:`hw.linear.lookup.row_maker.RowMaker`; only where rows are made."""
    codes = Out(
        lambda c: ReadPort(
            *(c.spec.code_bits * c.spec.inputs_per_beat, 1, c.spec.beats_max),
            again=bool(c.spec.together),
        )
    )
    """Codes of the tokens, a beat a word."""
    rows = Out(
        lambda c: ReadPort(
            c.spec.row.size,
            c.spec.inputs_per_beat,
            c.spec.row_words,
            again=bool(c.spec.together),
        )
    )
    """Their residual rows."""
    together = In(lambda c: c.spec.together)
    """As for :class:`hw.linear.lookup.beat_sequencer.BeatSequencer`."""
    weight_i = InStream(lambda c: c.weights)
    """4-bit weight codes ``[input lane][output lane]``, one beat after another, in the order of
    :class:`hw.linear.lookup.beat_sequencer.BeatSequencer`.
    """
    room = In(1)
    """Whether there is a place for a tile. Once high it stays high until a tile comes."""
    tile = Out(lambda c: data.ArrayLayout(c.spec.lane_sum, c.spec.output_lanes))
    """Sums of a tile's output channels, in table units."""
    tile_en = Out(1)
    """Strobe: ``tile`` is the next one, in this cycle alone."""

    def __init__(self, spec: EngineSpec) -> None:
        lanes = spec.inputs_per_beat
        self.weights = data.ArrayLayout(data.ArrayLayout(INDEX_BITS, spec.output_lanes), lanes)
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        digits = self.spec.residual_digits
        sequencer = self.put(m, "sequencer", BeatSequencer(self.spec))

        # Buffers read, then rows chosen: these two stages move on when the next one is empty or
        # moves on too, the second with the weights. From there nothing waits any more.
        read, chosen = (Signal(self.spec.beat, name=n) for n in ("read", "chosen"))
        read_valid, chosen_valid = (Signal(name=f"{n}_valid") for n in ("read", "chosen"))
        lookup, choose, fetch = (Signal(name=n) for n in ("lookup", "choose", "fetch"))
        next_beat = sequencer.o.payload
        coming = Signal(LookupLane.LATENCY)  # bit n: a tile's last beat, n + 1 cycles ago
        m.d.comb += [
            self.weight_i.ready.eq(chosen_valid & (~chosen.last | (self.room & ~coming.any()))),
            lookup.eq(self.weight_i.valid & self.weight_i.ready),
            choose.eq(read_valid & (~chosen_valid | lookup)),
            sequencer.shape.eq(self.shape),
            sequencer.available.eq(self.codes.filled & self.rows.filled),
            sequencer.o.ready.eq(~read_valid | choose),
            fetch.eq(sequencer.o.valid & sequencer.o.ready),
            self.codes.en.eq(fetch),
            self.codes.address.eq(next_beat.address),
            *read_on(self.codes, next_beat, fetch),
            self.rows.en.eq(fetch),
            self.rows.address.eq(next_beat.address * digits + next_beat.digit),
            *read_on(self.rows, next_beat, fetch),
            self.tile_en.eq(coming[-1]),
        ]
        if self.spec.together:
            m.d.comb += sequencer.together.eq(self.together)
        m.d.sync += coming.eq(Cat(lookup & chosen.last, coming))
        for valid, beat, enter, leave, source in (
            (read_valid, read, fetch, choose, next_beat),
            (chosen_valid, chosen, choose, lookup, read),
        ):
            with m.If(enter):
                m.d.sync += [valid.eq(1), beat.eq(source)]
            with m.Elif(leave):
                m.d.sync += valid.eq(0)

        # What is known of the beat whose sum the lanes have.
        cycles = LookupLane.LATENCY - 1
        summed = {
            "valid": later(m, lookup, cycles, reset_less=False),
            "first": later(m, chosen.first, cycles),
            "digit": later(m, chosen.digit, cycles),
        }
        rows = self._choose_rows(m, read, choose)
        for n in range(self.spec.output_lanes):
            lane = self.put(m, f"lane{n}", LookupLane(self.spec), rows=rows)
            m.d.comb += [
                *(getattr(lane, port).eq(value) for port, value in summed.items()),
                self.tile[n].eq(lane.total),
            ]
            for k in range(self.spec.inputs_per_beat):
                m.d.comb += lane.weights[k].eq(self.weight_i.payload[k][n])

    def _choose_rows(self, m: Module, read: data.View, choose: Signal):
        """Return the registers that hold each input lane's row."""
        lanes = self.spec.inputs_per_beat
        rows = Signal(data.ArrayLayout(self.spec.row, lanes), reset_less=True)
        constants = self._constants(m)
        for n in range(lanes):
            source = RowMaker(self.spec) if self.spec.numbers.made else RowSelect(self.spec)
            select = self.put(m, f"select{n}", source, **constants)
            m.d.comb += [
                select.code.eq(self.codes.data.word_select(n, self.spec.code_bits)),
                select.residual.eq(self.rows.data.word_select(n, self.spec.row.size)),
                select.compensation.eq(read.compensation),
                select.used.eq(read.mask[n]),
            ]
            with m.If(choose):
                m.d.sync += rows[n].eq(select.row)
        return rows

    def _constants(self, m: Module) -> dict[str, Any]:
        """Return what all rows are chosen from or made of."""
        if not self.spec.numbers.made:
            return {"product_table": self.product_table}
        # There long before a token's first row is made.
        triples = Signal(self.spec.weight_triples)
        for n, centroid in enumerate(self.w_centroids):
            size = centroid if self.spec.numbers.symmetric else centroid.magnitude
            m.d.sync += triples[n].eq(size + (size << 1))
        return {"w_centroids": self.w_centroids, "triples": triples}
