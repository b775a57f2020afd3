"""Linear unit: the engine, and what brings it a step's numbers and takes what it makes of them."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import connect, flipped

from golden.exact.spec import SCALE_BITS
from hw.chip.chip_spec import REQUEST, STEP, ChipSpec, loaded_layout
from hw.chip.constant_loader import ConstantLoader
from hw.chip.feeder import Feeder
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
from hw.vector.vector_spec import VectorRead, VectorWrite


class LinearUnit(Unit):
    """Carry out LINEAR, and what loads the engine before: CONSTANTS and CHANNELS.

    Timing
    ------
    Latency : from ``start`` to ``busy`` low, what memory takes for the first tile and the engine
        for a token.
    Rate : a step at a time.
    Through paths : ``i`` to ``write`` and to the engine's ``load_i``; combinational.
    Reset : drops the step; constants must be loaded again.
    """

    ahead = In(STEP)
    """The instruction that begins next; steady from ``asks`` or ``load_asks`` until it does."""
    asks = In(1)
    """Strobe: ask for its first tile, as for :class:`hw.chip.unit.Reader`."""
    load_asks = In(1)
    """Strobe, in the place of ``asks``: ask for constants."""
    asking = Out(1)
    """Whether there is something to ask for, of this step or of the next one."""
    load_start = In(1)
    """Strobe, in the place of ``start``: the step loads constants."""
    factor = In(SCALE)
    """The factor of a LINEAR step that is scaled."""
    read = Out(lambda c: VectorRead(c.spec.vectors))
    """Side of the vector memory."""
    write = Out(lambda c: VectorWrite(c.spec.vectors))
    """The same."""
    request_o = OutStream(REQUEST)
    """``words`` of the bus from ``address`` on."""
    i = InStream(lambda c: c.parts)
    """Their parts, as from :class:`hw.chip.word_splitter.WordSplitter`."""
    size = Out(SIZE_BITS)
    """How large parts are to be."""
    done = Out(1)
    """Whether the part at hand is the last that is wanted."""
    flags = Out(FLAGS)
    """The engine's."""
    loaded = Out(lambda c: loaded_layout(c.spec))
    """What the engine holds."""
    wrong = Out(1)
    """Strobe: a constant is not for the engine."""

    def __init__(self, spec: ChipSpec) -> None:
        self.parts = looked_at(WordSplitter(spec)).parts
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        engine = self.put(m, "engine", LookupEngine(spec.engine))
        units = {
            "feeder": Feeder(spec),
            "writer": OutputWriter(spec),
            "fetcher": TileFetcher(spec),
        }
        for name, unit in units.items():
            self.put(m, name, unit, step=self.step, start=self.start)
        feeder, writer, fetcher = units.values()
        loader = self.put(m, "loader", ConstantLoader(spec), step=self.step, start=self.load_start)
        m.d.comb += [
            fetcher.ahead.eq(self.ahead),
            fetcher.asks.eq(self.asks),
            loader.ahead.eq(self.ahead),
            loader.asks.eq(self.load_asks),
        ]
        connect(m, feeder.read, flipped(self.read))
        connect(m, writer.write, flipped(self.write))
        connect(m, loader.load_o, engine.load_i)
        connect(m, feeder.o, engine.i)
        connect(m, engine.o, writer.i)
        m.d.comb += [
            self.busy.eq(loader.busy | feeder.busy | writer.busy | fetcher.busy),
            engine.form.eq(self.step.form),
            self.flags.eq(engine.flags),
            self.loaded.eq(loader.loaded),
            self.wrong.eq(loader.wrong),
        ]
        self._give_factor(m, engine)
        self._connect_weights(m, engine, loader, fetcher)
        self._share_reads(m, loader, fetcher)

    def _give_factor(self, m: Module, engine: LookupEngine) -> None:
        """Bring the token's factor, or 1."""
        port = engine.factor_i
        given = Signal()
        with m.If(self.start):
            m.d.sync += given.eq(1)
        with m.Elif(port.ready):
            m.d.sync += given.eq(0)
        one = 1 << (SCALE_BITS - 1)
        m.d.comb += [
            port.valid.eq(given),
            port.payload.mantissa.eq(Mux(self.step.scaled, self.factor.mantissa, one)),
            port.payload.exponent.eq(Mux(self.step.scaled, self.factor.exponent, 1 - SCALE_BITS)),
        ]

    def _connect_weights(self, m: Module, engine, loader, fetcher) -> None:
        tiles = self.put(m, "tiles", TileBuffer(self.spec))
        weights = self.put(
            m,
            "weights",
            WeightReader(self.spec),
            start=self.start,
            filled=fetcher.filled,
            outlier_lanes=loader.outlier_lanes,
        )
        connect(m, engine.weight_request_o, weights.request_i)
        connect(m, weights.o, engine.weight_i)
        connect(m, fetcher.write, tiles.write)
        connect(m, weights.read, tiles.read)
        m.d.comb += [
            fetcher.released.eq(weights.released),
            fetcher.hold.eq(weights.read.row_en),
        ]

    def _share_reads(self, m: Module, loader: ConstantLoader, fetcher: TileFetcher) -> None:
        """Let the two that read the memory outside share it: neither asks while the other does."""
        for reader in (loader, fetcher):
            m.d.comb += [
                reader.request_o.ready.eq(self.request_o.ready),
                reader.i.valid.eq(self.i.valid & reader.busy),
                reader.i.payload.eq(self.i.payload),
            ]
        m.d.comb += [
            self.request_o.valid.eq(loader.request_o.valid | fetcher.request_o.valid),
            self.request_o.payload.eq(
                Mux(loader.request_o.valid, loader.request_o.payload, fetcher.request_o.payload)
            ),
            self.asking.eq(loader.request_o.valid | fetcher.asking),
            self.i.ready.eq(Mux(loader.busy, loader.i.ready, fetcher.i.ready)),
            self.size.eq(Mux(loader.busy, loader.size, fetcher.size)),
            self.done.eq(loader.busy & loader.done),
        ]
