"""Ingest: buffers a token, sums its absolute values and finds its outliers, in one pass."""

from amaranth.hdl import Module
from amaranth.lib import data
from amaranth.lib.wiring import connect, flipped

from hw.engine_spec import EngineSpec
from hw.formats import SCALE
from hw.stream.component import In, InStream, Out, OutStream, Sized
from hw.stream.queue import Queue
from hw.stream.share import looked_at
from hw.stream.token_buffer import ReadPort, TokenBuffer
from hw.token.absolute_sum import AbsoluteSum
from hw.token.outlier_join import OutlierJoin
from hw.token.token_framer import TokenFramer
from hw.token.token_scale import FACTOR, TokenScale
from hw.topk.orizuru.orizuru_spec import OrizuruSpec
from hw.topk.orizuru.orizuru_stream import OrizuruStream


class TokenIngest(Sized[EngineSpec]):
    """Take in the activations of one token after another.

    Timing
    ------
    Latency : ``latency`` cycles from the transfer of the last beat to ``scale_o.valid``; by then
        ``tokens.filled`` is high too.
    Rate : one beat per cycle, but for Orizuru's pauses, while there is room for a token.
    Through paths : ``scale_o.ready`` to ``i.ready`` and ``started``, ``i.valid`` to ``started``;
        combinational.
    Reset : drops all tokens.
    """

    shape = In(lambda c: c.spec.shape)
    """Size of the layer. Steady while tokens are under way."""
    factor = In(FACTOR)
    """As for :class:`hw.token.token_scale.TokenScale`."""
    i = InStream(lambda c: c.lanes)
    """FP16 activations, lane 0 lowest; what is beyond K in the last beat is ignored."""
    scale_o = OutStream(SCALE)
    """One per token."""
    outlier_o = OutStream(lambda c: c.spec.outlier)
    """2 k_top per token, as from :class:`hw.token.outlier_join.OutlierJoin`."""
    tokens = In(lambda c: ReadPort(c.lanes.size, 1, c.spec.beats_max))
    """The buffered activations, a beat a word, without NaN, infinity and -0."""
    started = Out(1)
    """Strobe: a token's first beat is taken."""
    nonfinite = Out(1)
    """Strobe: a beat held a NaN or an infinity, which counts as zero."""

    def __init__(self, spec: EngineSpec) -> None:
        self.lanes = data.ArrayLayout(16, spec.inputs_per_beat)
        super().__init__(spec)
        scale = looked_at(TokenScale(spec))
        self.latency = TokenFramer.LATENCY + AbsoluteSum.LATENCY + scale.latency

    def build(self, m: Module) -> None:  # noqa: D102
        framer = self.put(m, "framer", TokenFramer(self.spec))
        total = self.put(m, "sum", AbsoluteSum(self.spec))
        scale = self.put(m, "scale", TokenScale(self.spec))
        orizuru = OrizuruStream(
            OrizuruSpec(
                inputs_max=self.spec.inputs_max,
                outliers_max=self.spec.outliers_max,
                values_per_beat=self.spec.inputs_per_beat,
            )
        )
        self.put(m, "orizuru", orizuru)
        buffer = self.put(m, "buffer", TokenBuffer(self.lanes.size, 1, self.spec.beats_max))
        connect(m, flipped(self.i), framer.i)
        connect(m, total.o, scale.i)
        connect(m, scale.o, flipped(self.scale_o))
        connect(m, flipped(self.tokens), buffer.read)
        self._queue_outliers(m, orizuru)

        # A beat goes to all three at once; none of them looks at valid to say ready.
        beat = framer.o.payload
        taken = framer.o.valid & framer.o.ready
        m.d.comb += [
            framer.inputs.eq(self.shape.inputs),
            scale.factor.eq(self.factor),
            orizuru.k_top.eq(self.shape.k_top),
            framer.o.ready.eq(total.i.ready & orizuru.i.ready & buffer.write.free),
            total.i.valid.eq(taken),
            total.i.payload.lanes.eq(beat.lanes),
            total.i.payload.last.eq(beat.last),
            orizuru.i.valid.eq(taken),
            orizuru.i.payload.keys.eq(beat.keys),
            orizuru.i.payload.mask.eq(beat.mask),
            orizuru.i.payload.last.eq(beat.last),
            buffer.write.en.eq(taken),
            buffer.write.address.eq(beat.address),
            buffer.write.data.eq(beat.lanes),
            buffer.write.done.eq(taken & beat.last),
            self.started.eq(framer.started),
            self.nonfinite.eq(taken & beat.nonfinite),
        ]

    def _queue_outliers(self, m: Module, orizuru: OrizuruStream) -> None:
        """Let Orizuru go on with the next token while this one's outliers are used."""
        join = self.put(m, "join", OutlierJoin(self.spec))
        connect(m, orizuru.largest_o, join.largest)
        connect(m, orizuru.smallest_o, join.smallest)
        m.submodules.outliers = queue = Queue(self.spec.outlier, 2 * self.spec.outliers_max)
        connect(m, join.o, queue.i)
        connect(m, queue.o, flipped(self.outlier_o))
        m.d.comb += join.k_top.eq(self.shape.k_top)
