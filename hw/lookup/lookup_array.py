"""Lookup array: rows shared by all output lanes, weights looked up in them, sums per tile."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.common.share import share
from hw.common.token_buffer import ReadInterface, ReadPort
from hw.engine_spec import INDEX_BITS, EngineSpec
from hw.lookup.beat_sequencer import BeatSequencer
from hw.lookup.lookup_lane import LookupLane
from hw.lookup.row_select import RowSelect


class LookupArray(wiring.Component):
    """Multiply one token after another with the layer's weights, by lookup.

    The row of an activation is chosen once and broadcast to all output lanes; there each weight
    code picks its entry. Outliers are beats like the others, with residual rows for the table's.

    Parameters
    ----------
    spec : EngineSpec
        Lanes, widths and the largest layer.

    Ports
    -----
    shape : In(spec.shape)
        Size of the layer. This and ``product_table`` are steady while tokens are under way.
    product_table : In(array of rows)
        As for :class:`hw.lookup.row_select.RowSelect`.
    codes : Out(``ReadPort``)
        Codes of the tokens, a beat a word.
    rows : Out(``ReadPort``)
        Their residual rows.
    weight_i : In(stream of ``weights``)
        4-bit weight codes ``[input lane][output lane]``, one beat after another, in the order
        of :class:`hw.lookup.beat_sequencer.BeatSequencer`.
    o : Out(stream of ``tile``)
        Sums of the tile's output channels, in table units.

    Timing
    ------
    Latency : ``LATENCY`` cycles from ``codes.filled`` to ``o.valid`` for a tile of one beat,
        with the weights waiting; one more for each further beat.
    Rate : one beat per cycle, across tiles and tokens, while weights come and ``o`` is taken.
    Through paths : ``o.ready`` to ``weight_i.ready``, and to ``en`` and ``done`` of ``codes``
        and ``rows``; ``weight_i.valid`` to the latter; combinational.
    Reset : drops the sums under way; the next beat is a token's first.
    """

    LATENCY = 5

    shape: data.View
    product_table: data.View
    codes: ReadInterface
    rows: ReadInterface
    weight_i: stream.Interface
    o: stream.Interface

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        lanes, digits = spec.inputs_per_beat, spec.numbers.residual_digits
        self.weights = data.ArrayLayout(data.ArrayLayout(INDEX_BITS, spec.output_lanes), lanes)
        entries = spec.row.members["entries"]
        self.tile = data.ArrayLayout(spec.lane_sum, spec.output_lanes)
        ports = {
            "shape": In(spec.shape),
            "product_table": In(data.ArrayLayout(entries, spec.entries)),
            "codes": Out(ReadPort(INDEX_BITS * lanes, 1, spec.beats_max)),
            "rows": Out(ReadPort(spec.row.size, lanes, spec.groups_max * digits)),
            "weight_i": In(stream.Signature(self.weights)),
            "o": Out(stream.Signature(self.tile)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        digits = self.spec.numbers.residual_digits
        sequencer = BeatSequencer(self.spec)
        m.submodules.sequencer = share(platform, sequencer)

        # Five stages: buffers read, rows chosen, groups summed, beat summed, tile complete. A
        # stage moves on when the next one is empty or moves on too; the third also waits for the
        # weights.
        stages = ("read", "chosen", "grouped", "summed")
        read, chosen, grouped, summed = (Signal(self.spec.beat, name=n) for n in stages)
        read_valid, chosen_valid, grouped_valid, summed_valid = (
            Signal(name=f"{n}_valid") for n in stages
        )
        accumulate, add, lookup, choose, fetch = (
            Signal(name=n) for n in ("accumulate", "add", "lookup", "choose", "fetch")
        )
        next_beat = sequencer.o.payload
        m.d.comb += [
            accumulate.eq(summed_valid & (~self.o.valid | self.o.ready)),
            add.eq(grouped_valid & (~summed_valid | accumulate)),
            self.weight_i.ready.eq(chosen_valid & (~grouped_valid | add)),
            lookup.eq(self.weight_i.valid & self.weight_i.ready),
            choose.eq(read_valid & (~chosen_valid | lookup)),
            sequencer.shape.eq(self.shape),
            sequencer.available.eq(self.codes.filled & self.rows.filled),
            sequencer.o.ready.eq(~read_valid | choose),
            fetch.eq(sequencer.o.valid & sequencer.o.ready),
            self.codes.en.eq(fetch),
            self.codes.address.eq(next_beat.address),
            self.codes.done.eq(fetch & next_beat.token_last),
            self.rows.en.eq(fetch),
            self.rows.address.eq(next_beat.address * digits + next_beat.digit),
            self.rows.done.eq(fetch & next_beat.token_last),
        ]
        for valid, enter, leave in (
            (read_valid, fetch, choose),
            (chosen_valid, choose, lookup),
            (grouped_valid, lookup, add),
            (summed_valid, add, accumulate),
            (self.o.valid, accumulate & summed.last, self.o.ready),
        ):
            with m.If(enter):
                m.d.sync += valid.eq(1)
            with m.Elif(leave):
                m.d.sync += valid.eq(0)
        for beat, enter, source in (
            (read, fetch, next_beat),
            (chosen, choose, read),
            (grouped, lookup, chosen),
            (summed, add, grouped),
        ):
            with m.If(enter):
                m.d.sync += beat.eq(source)

        rows = self._choose_rows(m, platform, read, choose)
        for n in range(self.spec.output_lanes):
            lane = LookupLane(self.spec)
            m.submodules[f"lane{n}"] = share(platform, lane)
            m.d.comb += [
                lane.rows.eq(rows),
                lane.lookup.eq(lookup),
                lane.add.eq(add),
                lane.accumulate.eq(accumulate),
                lane.first.eq(summed.first),
                lane.digit.eq(summed.digit),
                self.o.payload[n].eq(lane.total),
            ]
            for k in range(self.spec.inputs_per_beat):
                m.d.comb += lane.weights[k].eq(self.weight_i.payload[k][n])
        return m

    def _choose_rows(self, m: Module, platform: object, read: data.View, choose: Signal):
        """Return the registers that hold each input lane's row."""
        lanes = self.spec.inputs_per_beat
        rows = Signal(data.ArrayLayout(self.spec.row, lanes), reset_less=True)
        for n in range(lanes):
            select = RowSelect(self.spec)
            m.submodules[f"select{n}"] = share(platform, select)
            m.d.comb += [
                select.product_table.eq(self.product_table),
                select.code.eq(self.codes.data.word_select(n, INDEX_BITS)),
                select.residual.eq(self.rows.data.word_select(n, self.spec.row.size)),
                select.compensation.eq(read.compensation),
                select.used.eq(read.mask[n]),
            ]
            with m.If(choose):
                m.d.sync += rows[n].eq(select.row)
        return rows
