"""Stream engine: a lookup engine whose tokens and outputs are frames of AXI4-Stream."""

from functools import cache
from pathlib import Path
from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import connect, flipped

from hw.arith.bits import used_lanes
from hw.bus.axi import AxiLite, AxiStream
from hw.bus.frame_reader import NUMBER_BYTES, FrameReader
from hw.bus.register_bank import RegisterBank
from hw.bus.register_map import RegisterMap, read_tree, register_map
from hw.engine_spec import EngineSpec
from hw.linear.lookup.lookup_engine import LookupEngine
from hw.linear.shell.layer_constants import Select, Size
from hw.stream.component import In, Out, Sized

REGISTERS = Path(__file__).with_name("stream_registers.rdl")


@cache
def registers() -> RegisterMap:
    """Return what a host sees of an engine on streams, whatever its size."""
    return register_map(read_tree(REGISTERS))


class StreamEngine(Sized[EngineSpec]):
    """Run a linear layer on frames, a token each; a host loads it through AXI4-Lite.

    A :class:`hw.linear.lookup.lookup_engine.LookupEngine` behind
    :class:`hw.bus.frame_reader.FrameReader`. A token may come once the layer's constants are
    loaded, and not before ``state.loading`` is 0.

    Parameters
    ----------
    spec : EngineSpec
        Widths, lanes and the largest layer; without token factors, levels, loads ahead and
        tokens together.

    Timing
    ------
    Latency : as the engine's.
    Rate : the same; a constant is taken when no token is under way.
    Through paths : none.
    Reset : as the engine's; the next word is a frame's first.
    """

    s_axi = In(lambda c: AxiLite(registers().address_bits))
    """The host: registers as ``hw/linear/shell/stream_registers.rdl`` has them."""
    s_axis = In(lambda c: AxiStream(16 * c.spec.inputs_per_beat))
    """Tokens: K FP16 numbers a frame, the first one in the lowest bytes."""
    m_axis = Out(lambda c: AxiStream(16 * c.spec.scale_lanes))
    """Outputs: N FP16 numbers a frame; bytes beyond them are not kept."""
    request_m_axis = Out(lambda c: AxiStream(-(-c.request.size // 8) * 8, framed=False))
    """Requests for weights, as from :class:`hw.linear.lookup.weight_requester.WeightRequester`."""
    weight_s_axis = In(lambda c: AxiStream(c.weights.size, framed=False))
    """The answers, in order: 4-bit weight codes ``[input lane][output lane]``."""
    interrupts = Out(1)
    """Whether an error is there that is enabled."""

    def __init__(self, spec: EngineSpec) -> None:
        if spec.token_factor or spec.loads_ahead or spec.snaps or spec.tokens_together > 1:
            raise ValueError(
                "an engine on streams has no token factors, levels, loads ahead or tokens together"
            )
        self.engine = LookupEngine(spec)
        self.request, self.weights = self.engine.requester.request, self.engine.array.weights
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        spec, words = self.spec, registers()
        bank = self.put(m, "registers", RegisterBank(words))
        frames = self.put(m, "frames", FrameReader(spec.inputs_per_beat, spec.inputs_max))
        engine = self.put(m, "engine", self.engine)
        connect(m, flipped(self.s_axi), bank.s_axi)
        connect(m, flipped(self.s_axis), frames.s_axis)
        connect(m, frames.o, engine.i)

        loading, outputs = Signal(), Signal(range(spec.outputs_max + 1))
        lost = self._load(m, bank, loading, {Size.INPUTS: frames.inputs, Size.OUTPUTS: outputs})
        used = used_lanes(engine.o.payload.last, outputs, spec.scale_lanes)
        request, answer = engine.weight_request_o, engine.weight_i
        m.d.comb += [
            self.m_axis.tvalid.eq(engine.o.valid),
            self.m_axis.tdata.eq(engine.o.payload.lanes),
            self.m_axis.tkeep.eq(Cat(lane.replicate(NUMBER_BYTES) for lane in used)),
            self.m_axis.tlast.eq(engine.o.payload.last),
            engine.o.ready.eq(self.m_axis.tready),
            self.request_m_axis.tvalid.eq(request.valid),
            self.request_m_axis.tdata.eq(request.payload),
            request.ready.eq(self.request_m_axis.tready),
            answer.valid.eq(self.weight_s_axis.tvalid),
            answer.payload.eq(self.weight_s_axis.tdata),
            self.weight_s_axis.tready.eq(answer.ready),
            self.interrupts.eq(bank.interrupts),
        ]
        says: dict[str, dict[str, Any]] = {
            "lanes": {"inputs": spec.inputs_per_beat, "outputs": spec.scale_lanes},
            "state": {
                "idle": engine.idle,
                "loading": loading,
                "nonfinite": engine.flags.nonfinite,
                "overflow": engine.flags.overflow,
            },
        }
        for name, fields in says.items():
            m.d.comb += bank.status[name].eq(words[name].word(**fields))
        wrong = {name: getattr(frames.errors, name) for name in ("early", "late", "keep")}
        m.d.comb += bank.happens.errors.eq(words["errors"].word(**wrong, lost=lost))

    def _load(self, m: Module, bank: Any, loading: Signal, sizes: dict[Size, Any]) -> Signal:
        """Put constants into the engine, and note sizes; return a strobe: one has been lost."""
        place, engine = registers()["place"].split(bank.control.place), self.engine
        held, lost = Signal(engine.constants.word), Signal()
        m.d.comb += [
            engine.load_i.valid.eq(loading),
            engine.load_i.payload.eq(held),
            lost.eq(bank.control.load & loading),
        ]
        with m.If(loading & engine.load_i.ready):
            m.d.sync += loading.eq(0)
            with m.If(held.select == Select.SIZE):
                for size, register in sizes.items():
                    with m.If(held.address == size.value):
                        m.d.sync += register.eq(held.word)
        with m.If(bank.control.load & ~loading):
            m.d.sync += [
                loading.eq(1),
                held.select.eq(place["select"]),
                held.address.eq(place["address"]),
                held.word.eq(Cat(bank.control.low, bank.control.high)),
            ]
        return lost
