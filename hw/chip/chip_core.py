"""Chip core: all of the chip but for the registers that a host sees."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import connect, flipped

from golden.chip.instruction import Op
from golden.chip.rules import FACTORS
from hw.bus.axi import join
from hw.bus.axi_writer import AxiWriter
from hw.bus.port_split import PortSplit
from hw.bus.read_share import ReadShare
from hw.chip.beside import Beside
from hw.chip.cache_writer import CacheWriter
from hw.chip.chip_spec import POSITION_BITS, ChipSpec
from hw.chip.instruction_check import InstructionCheck
from hw.chip.instruction_fetch import InstructionFetch
from hw.chip.linear_unit import LinearUnit
from hw.chip.loader import Loader
from hw.chip.run import Fault, Run
from hw.chip.sequencer import Sequencer
from hw.chip.shares import share_reads, share_vectors, share_writes
from hw.chip.storer import Storer
from hw.chip.vector_memory import VectorMemory
from hw.chip.word_splitter import WordSplitter
from hw.chip.write_port import WritePort
from hw.stream.component import In, Out, Sized
from hw.vector.cache_quantizer import CacheQuantizer
from hw.vector.vector_unit import VectorUnit

WAYS = (1, 3), (3, 4)  # of the reader: tokens and what comes in parts; tiles
VECTOR_OPS = (
    *(Op.ADD, Op.MULTIPLY, Op.ROTATE, Op.GATE, Op.LARGEST, Op.POWERS, Op.ROOT),
    Op.CHOOSE,
)


class ChipCore(Sized[ChipSpec]):
    """Run programs out of memory, bit for bit as :class:`golden.chip.machine.Machine`.

    LINEAR has a unit, with a way of its own to read memory. All other instructions are carried out
    one after another, so each has both memories for itself but for what LINEAR writes.

    Timing
    ------
    Latency : see :class:`hw.chip.sequencer.Sequencer`.
    Rate : an instruction at a time.
    Through paths : those of :class:`hw.bus.axi_reader.AxiReader`.
    Reset : ends the run; memory must be reset in the same cycle.
    """

    run = In(lambda c: Run())
    """As for :class:`hw.chip.sequencer.Sequencer`."""
    give_up = In(1)
    """Strobe: ends the run behind the instruction at hand."""
    running = Out(1)
    """Whether a run is under way."""
    finished = Out(1)
    """Strobe: it has ended, with or without a fault."""
    fault = Out(Fault)
    """Of the last run."""
    position = Out(POSITION_BITS)
    """Of the token at hand."""
    m_axi = Out(lambda c: c.spec.m_axi)
    """The memory outside."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        parts: dict[str, Any] = {
            "fetch": InstructionFetch(spec),
            "sequencer": Sequencer(spec),
            "check": InstructionCheck(spec),
            "beside": Beside(spec),
            "linear": LinearUnit(spec),
            "vectors": VectorUnit(spec.vectors),
            "loader": Loader(spec),
            "storer": Storer(spec),
            "quantizer": CacheQuantizer(spec.vectors, spec.engine.inputs_max),
            "cache": CacheWriter(spec),
            "memory": VectorMemory(spec),
            "reader": ReadShare(spec.axi, 4),
            "writer": AxiWriter(spec.axi),
            "splitter": WordSplitter(spec),
            "pieces": WritePort(spec),
        }
        self.parts = parts
        # Strobe: memory has not answered for too long. From the next cycle on units are reset.
        self._hung, self._forget = Signal(), Signal()
        self._owed = Signal()  # what a run that hung has asked for is not all answered yet
        # The two sides of the bus end what is under way as its rules ask for.
        drops = parts["sequencer"].drops
        resets: dict[str, Any] = {"sequencer": self._hung, "reader": 0, "writer": 0}
        resets["fetch"] = self._owed | drops
        for name, part in parts.items():
            self.put(m, name, part, reset=resets.get(name, self._forget))
        sequencer, bus = parts["sequencer"], self._bus(m)
        m.d.comb += [
            *join(parts["reader"].m_axi, bus),
            *join(parts["writer"].m_axi, bus),
        ]
        connect(m, flipped(self.run), sequencer.run)
        m.d.comb += [
            getattr(self, name).eq(getattr(sequencer, name)) for name in ("running", "position")
        ]
        self._start_units(m)
        self._fetch(m)
        share_reads(m, parts)
        share_writes(m, parts)
        share_vectors(m, parts)
        self._watch(m, bus)
        self._watch_bus(m, bus)

    def _start_units(self, m: Module) -> None:
        """Give each unit its steps, and the sequencer what became of them."""
        parts = self.parts
        sequencer, linear, vectors = (parts[n] for n in ("sequencer", "linear", "vectors"))
        quantizer, cache, beside = (parts[n] for n in ("quantizer", "cache", "beside"))
        step, starts, asks = sequencer.step, sequencer.starts, sequencer.asks
        # What is asked of these two stays until it is done.
        asked = {"vectors": Signal(name="vectors_asked"), "quantizer": Signal(name="cache_asked")}
        sending = Signal()  # what is written, but not what waits for its answer alone
        starts_vectors = Cat(starts[op.value] for op in VECTOR_OPS).any()
        for name in ("loader", "storer", "cache"):
            m.d.comb += parts[name].step.eq(step)
        m.d.comb += [
            linear.step.eq(sequencer.linear_step),
            linear.load_step.eq(step),
            parts["loader"].start.eq(starts[Op.LOAD.value]),
            parts["loader"].asks.eq(asks[Op.LOAD.value]),
            parts["loader"].ahead.eq(sequencer.ahead),
            linear.asks.eq(asks[Op.LINEAR.value]),
            linear.load_asks.eq(asks[Op.CONSTANTS.value] | asks[Op.CHANNELS.value]),
            linear.ahead.eq(sequencer.ahead),
            sequencer.asking.eq(linear.load_request_o.valid | parts["loader"].request_o.valid),
            sequencer.linear_asking.eq(linear.asking),
            sending.eq(parts["storer"].busy | cache.busy | parts["pieces"].i.valid),
            sequencer.writing.eq(sending | ~parts["writer"].idle),
            parts["storer"].start.eq(starts[Op.STORE.value]),
            linear.start.eq(starts[Op.LINEAR.value]),
            linear.load_start.eq(starts[Op.CONSTANTS.value] | starts[Op.CHANNELS.value]),
            linear.factor.eq(vectors.factor),
            linear.factor_en.eq(Cat(step.op == op.value for op in FACTORS).any()),
            linear.factor_slot.eq(step.slot),
            cache.start.eq(starts[Op.CACHE.value]),
            vectors.i.valid.eq(asked["vectors"]),
            quantizer.i.valid.eq(asked["quantizer"]),
            sequencer.chosen.eq(vectors.chosen),
            sequencer.busy.eq(linear.load_busy | parts["loader"].busy | asked["vectors"] | sending),
            sequencer.linear_busy.eq(linear.busy),
            beside.ahead.eq(sequencer.ahead),
            beside.linear.eq(sequencer.linear_step),
            beside.feeding.eq(linear.feeding),
            beside.owes.eq(linear.owes),
            sequencer.may.eq(beside.may),
        ]
        begins = {"vectors": starts_vectors, "quantizer": starts[Op.CACHE.value]}
        for name, begin in begins.items():
            ready = parts[name].i.ready
            m.d.sync += asked[name].eq((begin | (asked[name] & ~ready)) & ~self._forget)
        instruction = vectors.i.payload
        for name in ("op", "a", "b", "d", "count", "extra"):
            m.d.comb += instruction[name].eq(step[name])
        m.d.comb += instruction.continues.eq(step.scaled)
        form = quantizer.i.payload
        m.d.comb += [
            form.a.eq(step.a),
            form.count.eq(step.count),
            form.factor.mantissa.eq(step.b),
            form.factor.exponent.eq(step.d),
            form.thresholds.eq(step.extra),
            cache.i.valid.eq(quantizer.o.valid),
            cache.i.payload.eq(quantizer.o.payload.codes),
            cache.last.eq(quantizer.o.payload.last),
            quantizer.o.ready.eq(cache.i.ready),
            cache.scale.eq(quantizer.scale),
        ]

    def _fetch(self, m: Module) -> None:
        """Let instructions come when the sequencer wants them."""
        fetch, reader, sequencer = (self.parts[n] for n in ("fetch", "reader", "sequencer"))
        held = Signal()
        # A run that begins while memory still owes something waits for that.
        m.d.sync += held.eq((sequencer.fetch | (held & sequencer.running)) & self._owed)
        connect(m, fetch.request_o, reader.i[0])
        connect(m, reader.o[0], fetch.i)
        connect(m, fetch.o, sequencer.instruction_i)
        m.d.comb += [
            fetch.program.eq(self.run.program),
            fetch.start.eq((sequencer.fetch | held) & ~self._owed),
            fetch.resume.eq(sequencer.resume),
        ]

    def _watch(self, m: Module, bus: Any) -> None:
        """Stop a run on a fault."""
        parts = self.parts
        check, flags = parts["check"], parts["linear"].flags
        # Instructions are fetched before it is known whether they are reached.
        fetch, reader, sequencer = (parts[n] for n in ("fetch", "reader", "sequencer"))
        words, tiles = (Cat(w.valid & w.ready for w in reader.o[a:b]).any() for a, b in WAYS)
        seen = {
            "read_failed": words & bus.rresp[1],
            "tile_failed": tiles & bus.rresp[1],
            "wrong": parts["linear"].wrong,
            # The engine's flags are those of an earlier run until LINEAR begins.
            "began": sequencer.starts[Op.LINEAR.value],
            "given_up": self.give_up,
        }
        kept = {name: Signal(name=name) for name in seen}
        for name, value in seen.items():
            m.d.sync += kept[name].eq(sequencer.running & (kept[name] | value))
        m.d.comb += [
            fetch.error.eq(bus.rresp[1]),
            check.instruction.eq(fetch.o.payload),
            check.position.eq(sequencer.place),
            check.address.eq(sequencer.address),
            check.loaded.eq(parts["linear"].loaded),
            sequencer.refused.eq(check.refused),
            sequencer.wrong.eq(check.wrong),
        ]
        # LINEAR comes before what is carried out beside it, and that before what comes next.
        stop = sequencer.stop
        with m.If(kept["tile_failed"]):
            m.d.comb += stop.eq(Fault.MEMORY)
        with m.Elif(kept["began"] & (flags.nonfinite | flags.overflow)):
            m.d.comb += stop.eq(Fault.NUMBER)
        with m.Elif(kept["read_failed"] | parts["writer"].error):
            m.d.comb += stop.eq(Fault.MEMORY)
        with m.Elif(kept["wrong"] | parts["linear"].wrong):
            m.d.comb += stop.eq(Fault.NUMBER)
        with m.Elif(fetch.broken):
            m.d.comb += stop.eq(Fault.MEMORY)
        with m.Elif(kept["given_up"]):
            m.d.comb += stop.eq(Fault.STOPPED)

    def _bus(self, m: Module) -> Any:
        """Return the bus that the reader and the writer share."""
        if self.spec.ports == 1:
            return self.m_axi
        split = self.put(m, "split", PortSplit(self.spec.axi, self.spec.ports))
        connect(m, split.m_axi, flipped(self.m_axi))
        return split.s_axi

    def _watch_bus(self, m: Module, bus: Any) -> None:
        """End a run at once when memory has not answered for too long.

        The bus's two sides take and drop what still comes and ask for nothing more until all is
        answered, so a run that is started before then waits, or ends again. Units are reset, but
        not while one offers a word to memory: that must stay until it is taken.
        """
        reader, writer, sequencer = (self.parts[n] for n in ("reader", "writer", "sequencer"))
        idle, moves = Signal(), Signal()
        m.d.comb += [
            idle.eq(reader.idle & writer.idle),
            moves.eq(
                (bus.rvalid | bus.bvalid)
                | (bus.arvalid & bus.arready)
                | (bus.awvalid & bus.awready)
                | (bus.wvalid & bus.wready)
            ),
        ]
        waited = Signal(range(self.spec.hang_cycles))
        over, offers, hung = Signal(), Signal(), Signal()
        m.d.sync += [
            waited.eq(Mux(idle | moves | ~sequencer.running, 0, waited + 1)),
            over.eq(waited.all()),
            self._owed.eq(self._hung | (self._owed & ~idle)),
            offers.eq(Mux(self._hung, bus.wvalid, offers) & ~bus.wready),
            hung.eq(self._hung | (hung & ~self.run.start)),
        ]
        ended = Signal()
        m.d.sync += ended.eq(self._hung)
        m.d.comb += [
            self._hung.eq(over & sequencer.running),
            self._forget.eq(self._owed & ~offers),
            self.finished.eq(sequencer.finished | ended),
            self.fault.eq(Mux(hung, Fault.HANG, sequencer.fault)),
        ]
        m.d.comb += sequencer.read.eq(reader.idle)
        for side, dropped in ((reader, sequencer.drops), (writer, 0)):
            m.d.comb += [
                side.stop.eq(self._owed | dropped),
                side.clear.eq(self.run.start | self._owed),
            ]
