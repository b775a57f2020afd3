"""Weight requester: asks for the weight codes of each beat, ahead of the lookups."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.engine_spec import EngineSpec
from hw.linear.lookup.beat_sequencer import BeatSequencer, read_on
from hw.stream.component import In, Out, OutStream, Sized
from hw.stream.token_buffer import ReadPort


class WeightRequester(Sized[EngineSpec]):
    """Name the input channels and the output tile of every beat.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``positions.filled`` to ``o.valid``.
    Rate : one request per cycle while ``o.ready`` is high.
    Through paths : none to outputs; ``o.ready`` to ``positions.en`` and ``positions.done``.
    Reset : drops the request in flight; the next is a token's first.
    """

    LATENCY = 1

    shape = In(lambda c: c.spec.shape)
    """Size of the layer. Steady while tokens are under way."""
    positions = Out(
        lambda c: ReadPort(
            *(c.spec.position_bits, c.spec.inputs_per_beat, c.spec.groups_max),
            again=bool(c.spec.together),
        )
    )
    """Input channels of the outliers."""
    together = In(lambda c: c.spec.together)
    """As for :class:`hw.linear.lookup.beat_sequencer.BeatSequencer`."""
    o = OutStream(lambda c: c.request)
    """``tile`` of output channels, and the input channel of each lane: neighbours, but in a beat
    of ``outliers``. A lane beyond the token or its outliers names any channel; its weights do not
    matter.
    """

    def __init__(self, spec: EngineSpec) -> None:
        lanes = spec.inputs_per_beat
        channels = data.ArrayLayout(spec.position_bits, lanes)
        self.request = data.StructLayout(
            {"tile": range(spec.tiles_max), "channels": channels, "outliers": 1}
        )
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        sequencer = self.put(m, "sequencer", BeatSequencer(spec))
        beat = Signal(spec.beat)
        advance = ~self.o.valid | self.o.ready
        following = sequencer.o.payload
        m.d.comb += [
            sequencer.shape.eq(self.shape),
            sequencer.available.eq(self.positions.filled),
            sequencer.o.ready.eq(advance),
            self.positions.en.eq(advance),
            self.positions.address.eq(following.address),
            *read_on(self.positions, following, sequencer.o.valid & advance),
            self.o.payload.tile.eq(beat.tile),
            self.o.payload.outliers.eq(beat.compensation),
        ]
        if spec.together:
            m.d.comb += sequencer.together.eq(self.together)
        with m.If(advance):
            m.d.sync += [self.o.valid.eq(sequencer.o.valid), beat.eq(following)]
        lane_bits = exact_log2(spec.inputs_per_beat)
        for n in range(spec.inputs_per_beat):
            main = Cat(Const(n, lane_bits), beat.address)[: spec.position_bits]
            outlier = self.positions.data.word_select(n, spec.position_bits)
            m.d.comb += self.o.payload.channels[n].eq(Mux(beat.compensation, outlier, main))
