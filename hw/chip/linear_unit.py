"""Linear unit: the engine, and what brings it a step's numbers and takes what it makes of them."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import connect, flipped

from golden.chip.rules import VECTORS_MAX
from golden.exact.spec import SCALE_BITS
from hw.chip.chip_spec import REQUEST, STEP, ChipSpec, loaded_layout, vectors_of
from hw.chip.constant_loader import ConstantLoader
from hw.chip.feeder import Feeder
from hw.chip.outlier_gatherer import OutlierGatherer
from hw.chip.output_writer import OutputWriter
from hw.chip.tile_buffer import TileBuffer
from hw.chip.tile_fetcher import TileFetcher
from hw.chip.unit import Unit
from hw.chip.weight_reader import WeightReader
from hw.chip.word_splitter import SIZE_BITS, WordSplitter
from hw.formats import SCALE
from hw.linear.lookup.lookup_engine import LookupEngine
from hw.linear.shell.engine_shell import FLAGS
from hw.stream.component import In, InStream, Out, OutStream
from hw.stream.share import looked_at
from hw.stream.word_memory import WordMemory
from hw.vector.vector_spec import VectorRead, VectorWrite


class LinearUnit(Unit):
    """Carry out LINEAR, and what loads the engine: CONSTANTS and CHANNELS, at the same time.

    Timing
    ------
    Latency : from ``start`` to ``busy`` low, what memory takes for the first tile and the engine
        for a token.
    Rate : a LINEAR step at a time, and beside it one that loads constants for the next.
    Through paths : ``i.valid`` to ``i.ready``, ``load_i.valid`` to ``load_i.ready``, ``hold`` to
        ``write``; combinational.
    Reset : drops the step; constants must be loaded again.
    """

    ahead = In(STEP)
    """The instruction that begins next; steady from ``asks`` or ``load_asks`` until it does."""
    asks = In(1)
    """Strobe: ask for its first tile, as for :class:`hw.chip.unit.Reader`."""
    asking = Out(1)
    """Whether there are tiles to ask for, of this step or of the next one."""
    factor = In(SCALE)
    """What was made as a factor."""
    factor_en = In(1)
    """Strobe: keep it."""
    factor_slot = In(lambda c: range(c.spec.engine.tokens_together))
    """Where."""
    read = Out(lambda c: VectorRead(c.spec.vectors))
    """Side of the vector memory."""
    write = Out(lambda c: VectorWrite(c.spec.vectors))
    """The same."""
    hold = In(1)
    """Whether its write side is in use."""
    writes = Out(1)
    """Whether there are outputs to be written."""
    feeding = Out(1)
    """Whether the vectors of the step are still read."""
    owes = Out(1)
    """Whether the step has not taken its factor."""
    request_o = OutStream(REQUEST)
    """Tiles: ``words`` of the bus from ``address`` on."""
    i = InStream(lambda c: c.spec.word)
    """Those words."""
    flags = Out(FLAGS)
    """The engine's, since the step began."""
    load_step = In(STEP)
    """An instruction that loads constants, steady as ``step``; LINEAR may be under way."""
    load_asks = In(1)
    """Strobe: ask for constants."""
    load_start = In(1)
    """Strobe: begin to load them. Only while none are loaded."""
    load_busy = Out(1)
    """Whether they are."""
    load_request_o = OutStream(REQUEST)
    """Constants: ``words`` of the bus from ``address`` on."""
    load_i = InStream(lambda c: c.parts)
    """Their parts, as from :class:`hw.chip.word_splitter.WordSplitter`."""
    load_size = Out(SIZE_BITS)
    """How large parts are to be."""
    load_done = Out(1)
    """Whether the part at hand is the last that is wanted."""
    loaded = Out(lambda c: loaded_layout(c.spec))
    """What the next LINEAR step finds."""
    wrong = Out(1)
    """Strobe: a constant is not for the engine."""

    def __init__(self, spec: ChipSpec) -> None:
        self.parts = looked_at(WordSplitter(spec)).parts
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        spec, lanes = self.spec, self.spec.engine.output_lanes
        engine = self.put(m, "engine", LookupEngine(spec.engine), begin=self.start)
        given = {"step": self.step, "start": self.start}
        feeder = self.put(m, "feeder", Feeder(spec), **given)
        writer = self.put(m, "writer", OutputWriter(spec), **given)
        asked = {"ahead": self.ahead, "asks": self.asks}
        fetcher = self.put(m, "fetcher", TileFetcher(spec), **given, **asked)
        given = {"step": self.load_step, "start": self.load_start}
        asked = {"ahead": self.ahead, "asks": self.load_asks}
        loader = self.put(m, "loader", ConstantLoader(spec), **given, **asked)
        connect(m, feeder.read, flipped(self.read))
        connect(m, writer.write, flipped(self.write))
        connect(m, loader.load_o, engine.load_i)
        connect(m, feeder.o, engine.i)
        connect(m, engine.o, writer.i)
        connect(m, loader.request_o, flipped(self.load_request_o))
        connect(m, flipped(self.load_i), loader.i)
        connect(m, fetcher.request_o, flipped(self.request_o))
        connect(m, flipped(self.i), fetcher.i)
        m.d.comb += [
            self.busy.eq(feeder.busy | writer.busy | fetcher.busy),
            self.asking.eq(fetcher.asking),
            self.feeding.eq(feeder.busy),
            writer.hold.eq(self.hold),
            self.writes.eq(engine.o.valid),
            engine.form.eq(self.step.form),
            engine.together.eq(Mux(self.step.outputs > lanes, 1 << vectors_of(self.step), 1)),
            self.flags.eq(engine.flags),
            self.load_busy.eq(loader.busy),
            self.load_size.eq(loader.size),
            self.load_done.eq(loader.done),
            self.loaded.eq(loader.loaded),
            self.wrong.eq(loader.wrong),
        ]
        self._give_factor(m, engine)
        self._connect_weights(m, engine, loader, fetcher)

    def _give_factor(self, m: Module, engine: LookupEngine) -> None:
        """Keep factors, and bring each vector's, or 1."""
        port = engine.factor_i
        due = Signal(range(VECTORS_MAX + 1))
        kept = WordMemory(SCALE.size, self.spec.engine.tokens_together).put_in(self, m, "factors")
        found = SCALE(kept.read_data)
        made = Signal(self.spec.engine.tokens_together)  # which are there: others count as 1
        taken, there = Signal(), Signal()  # there: the memory shows the factor that is due
        given = Signal()  # whether that is one that was made
        slot = Signal(range(2 * VECTORS_MAX))
        with m.If(self.start):
            m.d.sync += [due.eq(1 << vectors_of(self.step)), slot.eq(self.step.slot), there.eq(0)]
        with m.Else():
            m.d.sync += [due.eq(due - taken), slot.eq(slot + taken), there.eq(~taken)]
        with m.If(self.factor_en):
            m.d.sync += made.bit_select(self.factor_slot, 1).eq(1)
        m.d.sync += given.eq(made.bit_select(slot[: len(self.factor_slot)], 1) & self.step.scaled)
        one = 1 << (SCALE_BITS - 1)
        m.d.comb += [
            kept.write_en.eq(self.factor_en),
            kept.write_address.eq(self.factor_slot),
            kept.write_data.eq(self.factor),
            kept.read_en.eq(1),
            kept.read_address.eq(slot),
            taken.eq(port.valid & port.ready),
            port.valid.eq((due != 0) & there),
            self.owes.eq((due != 0) & self.step.scaled),
            port.payload.mantissa.eq(Mux(given, found.mantissa, one)),
            port.payload.exponent.eq(Mux(given, found.exponent, 1 - SCALE_BITS)),
        ]

    def _connect_weights(self, m: Module, engine, loader, fetcher) -> None:
        tiles = self.put(m, "tiles", TileBuffer(self.spec))
        weights = self.put(
            m, "weights", WeightReader(self.spec), start=self.start, filled=fetcher.filled
        )
        connect(m, engine.weight_request_o, weights.request_i)
        connect(m, weights.o, engine.weight_i)
        connect(m, fetcher.write, tiles.write)
        connect(m, weights.read, tiles.read)
        gatherer = self.put(m, "gatherer", OutlierGatherer(self.spec), filled=fetcher.filled)
        connect(m, gatherer.outliers, engine.outliers)
        connect(m, gatherer.rows, tiles.rows)
        m.d.comb += [
            weights.gathered.eq(gatherer.gathered),
            gatherer.done.eq(weights.done),
            fetcher.hold.eq(gatherer.rows.write_en),
            fetcher.released.eq(weights.released),
            gatherer.outputs.eq(self.step.outputs),
            gatherer.together.eq(engine.together),
        ]
        with m.If(self.start):  # what is loaded later is another step's
            m.d.sync += [gatherer.count.eq(loader.outliers), weights.digits.eq(loader.digits)]
