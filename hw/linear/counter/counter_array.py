"""Counter array: lines side by side, fed beat by beat, their sums in a queue."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring

from hw.arith.bits import used_lanes
from hw.formats import INDEX_BITS
from hw.linear.counter.counter_line import CounterLine
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.counter.entry_slices import EntrySlices
from hw.linear.counter.tile_sequencer import TileSequencer
from hw.stream.component import Component, In, InStream, Out, OutStream
from hw.stream.credit_queue import CreditQueue
from hw.stream.token_buffer import ReadPort


class CounterArray(Component):
    """Multiply one token after another with the layer's weights, by counting.

    Each line works on an output channel of its own, all on the same activations. The lines do
    not wait: a tile's last beat is taken only ``steps`` cycles after that of the tile before,
    and when there is room for the tile's sums.

    Parameters
    ----------
    spec : CounterSpec
        Lines, counters, bins and the largest layer.

    Timing
    ------
    Latency : ``latency`` cycles from the transfer of a tile's last weights to ``o.valid``.
    Rate : one beat per cycle, and a tile every ``steps`` cycles, across tokens, while weights
        come and ``o`` is taken. Until ``tiles`` tiles wait for ``o`` nothing else does.
    Through paths : ``weight_i.valid`` to ``codes.en`` and ``codes.done``, combinational.
    Reset : drops the sums under way; the next beat is a token's first.
    """

    shape = In(lambda c: c.spec.shape)
    """Size of the layer. This and ``product_table`` are steady while tokens are under way."""
    product_table = In(lambda c: c.spec.product_table)
    """As for :class:`hw.linear.lookup.row_select.RowSelect`."""
    codes = Out(lambda c: ReadPort(c.word[0], c.word[1], c.spec.counting_beats_max))
    """Codes of the tokens, ``pairs`` a word."""
    weight_i = InStream(lambda c: c.weights)
    """4-bit weight codes ``[line][pair]``, one beat after another, in the order of
    :class:`hw.linear.counter.tile_sequencer.TileSequencer`.
    """
    o = OutStream(lambda c: c.spec.tile)
    """Sums of the tile's output channels, in table units."""

    def __init__(self, spec: CounterSpec) -> None:
        self.spec = spec
        self.lines = [self.make_line() for _ in range(spec.output_lanes)]
        # A tile's sums leave the lines this long after its last weights are taken.
        self.line_latency = 1 + self.lines[0].latency
        self.latency = self.line_latency + 2
        # As many tiles as are compensated together, and those in the lines' own stages.
        self.tiles = spec.tiles_together + 1 - -self.latency // spec.steps
        self.weights = data.ArrayLayout(data.ArrayLayout(INDEX_BITS, spec.pairs), spec.output_lanes)
        self.word = (INDEX_BITS * spec.inputs_per_beat, spec.pairs // spec.inputs_per_beat)
        super().__init__()

    def make_line(self) -> Any:
        """Return a line."""
        return CounterLine(self.spec)

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        fire, room = Signal(), Signal()
        beat = self._read(m, fire)
        m.d.comb += [
            self.weight_i.ready.eq(beat.valid & (~beat.last | room)),
            fire.eq(self.weight_i.valid & self.weight_i.ready),
        ]
        ended = Signal()
        m.d.comb += ended.eq(fire & beat.last)

        # What the lines work on in the next cycle.
        activations = Signal(data.ArrayLayout(INDEX_BITS, spec.pairs), reset_less=True)
        used, first, last = Signal(spec.pairs), Signal(), Signal()
        m.d.sync += [
            activations.eq(self.codes.data),
            used.eq(Mux(fire, beat.mask, 0)),
            first.eq(fire & beat.first),
            last.eq(ended),
        ]
        later = Signal(self.line_latency - 1)  # bit n: the last beat was n + 1 cycles before
        m.d.sync += later.eq(Cat(last, later))
        products = self.products(m, last)
        sums = Signal(spec.tile)
        for n, line in enumerate(self.lines):
            self.put(m, f"line{n}", line, weights=self.weight_i.payload[n], activations=activations)
            m.d.comb += [
                line.used.eq(used),
                line.first.eq(first),
                line.last.eq(last),
                line.slice_first.eq(later[CounterLine.BINS - 1]),
                sums[n].eq(line.sum),
                [Cat(getattr(line, port)).eq(Cat(value)) for port, value in products.items()],
            ]
        self._queue(m, sums, later[-1], ended, room)

    def _read(self, m: Module, fire: Signal) -> data.View:
        """Read the codes of a beat whenever one goes on; return what is known of the one read."""
        spec = self.spec
        sequencer = self.put(m, "sequencer", TileSequencer(spec))
        beat = Signal(data.StructLayout({"mask": spec.pairs, "first": 1, "last": 1, "valid": 1}))
        following = sequencer.o.payload
        fetch = Signal()
        m.d.comb += [
            sequencer.shape.eq(self.shape),
            sequencer.available.eq(self.codes.filled),
            sequencer.o.ready.eq(~beat.valid | fire),
            fetch.eq(sequencer.o.valid & sequencer.o.ready),
            self.codes.en.eq(fetch),
            self.codes.address.eq(following.address),
            self.codes.done.eq(fetch & following.token_last),
        ]
        with m.If(fetch):
            m.d.sync += [
                beat.mask.eq(used_lanes(following.last, self.shape.inputs, spec.pairs)),
                beat.first.eq(following.first),
                beat.last.eq(following.last),
                beat.valid.eq(1),
            ]
        with m.Elif(fire):
            m.d.sync += beat.valid.eq(0)
        return beat

    def products(self, m: Module, last: Signal) -> dict[str, Value]:
        """Return what the lines' trees need beside counts, by port.

        These are the products of the slice that is in the trees, and what their sums start with.
        """
        spec = self.spec
        slices = self.put(m, "slices", EntrySlices(spec))
        assert CounterLine.BINS - EntrySlices.LATENCY == 1, "the first slice is read after last"
        step = Signal.like(slices.step)
        m.d.sync += step.eq(Mux(last, 0, step + 1))
        start = Signal(signed(spec.main_bits), reset_less=True)
        m.d.sync += start.eq(-(self.shape.inputs << spec.numbers.magnitude_bits))
        m.d.comb += [slices.product_table.eq(self.product_table), slices.step.eq(step)]
        return {"entries": Cat(slices.entries), "start": start}

    def _queue(self, m: Module, sums: data.View, valid: Value, ended: Signal, room: Signal) -> None:
        """Keep sums until they are wanted, and say whether another tile may end."""
        spec = self.spec
        queue = self.put(m, "queue", CreditQueue(spec.tile, self.tiles))
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        wait = Signal(range(spec.steps))  # before a tile may end
        with m.If(ended):
            m.d.sync += wait.eq(spec.steps - 1)
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        m.d.comb += [
            room.eq(queue.room & (wait == 0)),
            queue.reserve.eq(ended),
            queue.item.eq(sums),
            queue.push.eq(valid),
        ]
