"""Quantiser: codes, residual rows and outlier positions of one token after another."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import connect, flipped

from golden.exact.grid import RECIPROCAL_DROP
from hw.engine_spec import EngineSpec
from hw.formats import FORM, SCALE
from hw.stream.component import Component, In, InStream, Out, OutStream
from hw.stream.token_buffer import ReadPort, TokenBuffer, write_as
from hw.token.cluster_pass import ClusterPass
from hw.token.grid_unit import DIVISOR
from hw.token.midpoint_scaler import MidpointScaler
from hw.token.reciprocal import QUOTIENT_BITS, Reciprocal
from hw.token.residual_builder import ResidualBuilder


class TokenQuantizer(Component):
    """Turn a buffered token into what the lookup array works on.

    Parameters
    ----------
    spec : EngineSpec
        Widths, lanes and the largest layer.

    Timing
    ------
    Latency : 1 + ``preparation`` + the longer of the coding pass and the residual rows, from
        a transfer on ``scale_i`` to ``scale_o.valid``, when the outliers are there.
    Rate : one token at a time.
    Through paths : none.
    Reset : drops all tokens.
    """

    shape = In(lambda c: c.spec.shape)
    """Size of the layer. This and the codebooks are steady while tokens are under way."""
    a_centroids = In(lambda c: c.spec.activation_codebook)
    """As for :class:`hw.token.midpoint_scaler.MidpointScaler`; not where rows are made."""
    w_centroids = In(lambda c: c.w_codebook)
    """As for :class:`hw.token.residual_builder.ResidualBuilder`; only with residual rows."""
    levels = In(lambda c: c.spec.level_codebook)
    """As for :class:`hw.token.cluster_pass.ClusterPass`; this and the next one only where codes can
    be snapped.
    """
    form = In(lambda c: FORM if c.spec.snaps else None)
    """The same; steady from a transfer on ``scale_i`` until the token is done."""
    scale_i = InStream(SCALE)
    """A token's scale; the token is in its buffer by then."""
    outlier_i = InStream(lambda c: c.spec.outlier)
    """Its outliers."""
    tokens = Out(lambda c: ReadPort(16 * c.spec.inputs_per_beat, 1, c.spec.beats_max))
    """Its activations."""
    scale_o = OutStream(SCALE)
    """Its scale again, when the token is done."""
    codes = In(lambda c: c.code_buffer.read.signature.flip())
    """Its codes, a beat a word. The three ports are released one by one."""
    rows = In(lambda c: c.row_buffer.read.signature.flip())
    """Its residual rows, as :class:`hw.token.residual_builder.ResidualBuilder` lays them out."""
    positions = In(lambda c: c.position_buffer.read.signature.flip())
    """Its outliers' input channels, ``k_t`` a word."""
    outliers = In(lambda c: c.shown_buffer.read.signature.flip() if c.shown_buffer else None)
    """The same once more, only with ``spec.shows_outliers``."""

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        self.scaler = None if spec.numbers.made else MidpointScaler(spec)
        self.preparation = max(self.scaler.latency if self.scaler else 0, Reciprocal.LATENCY)
        self.coding = ClusterPass(spec)
        self.residuals = self.make_residuals()
        takes = "w_centroids" in self.residuals.signature.members
        self.w_codebook = spec.weight_codebook if takes else None
        self.code_buffer, self.row_buffer, self.position_buffer = self.make_buffers()
        self.shown_buffer = self.make_positions() if spec.shows_outliers else None
        super().__init__()

    def make_residuals(self) -> Any:
        """Return what works on the residuals."""
        return ResidualBuilder(self.spec)

    def make_buffers(self) -> tuple[TokenBuffer, TokenBuffer, TokenBuffer]:
        """Return the buffers of codes, of residuals or their rows, and of positions."""
        spec = self.spec
        lanes, groups, held = spec.inputs_per_beat, spec.code_groups, max(2, spec.tokens_together)
        return (
            TokenBuffer(spec.code_bits * lanes // groups, groups, spec.beats_max, held),
            TokenBuffer(spec.row.size, lanes, spec.row_words, held),
            self.make_positions(),
        )

    def make_positions(self) -> TokenBuffer:
        """Return a buffer of positions, ``k_t`` a word."""
        spec = self.spec
        lanes, depth = spec.inputs_per_beat, spec.groups_max
        return TokenBuffer(spec.position_bits, lanes, depth, max(2, spec.tokens_together))

    def write_codes(self, m: Module) -> None:
        """Let the coding pass write the codes."""
        m.d.comb += write_as(self.code_buffer.write, self.coding.codes)

    def connect_residuals(self, m: Module) -> None:
        """Connect what this kind of residuals takes beside the others."""
        m.d.comb += [
            self.residuals.digits.eq(self.shape.digits),
            self.residuals.w_centroids.eq(self.w_centroids),
        ]

    def build(self, m: Module) -> None:  # noqa: D102
        reciprocal = self.put(m, "reciprocal", Reciprocal())
        coding = self.put(m, "coding", self.coding)
        residuals = self.put(m, "residuals", self.residuals)
        buffers = {
            "codes": self.code_buffer,
            "rows": self.row_buffer,
            "positions": self.position_buffer,
            **({"outliers": self.shown_buffer} if self.shown_buffer else {}),
        }
        for name, buffer in buffers.items():
            self.put(m, name, buffer)
            connect(m, flipped(getattr(self, name)), buffer.read)

        done, start = Signal(), Signal()
        room = Cat(buffer.write.free for buffer in buffers.values()).all()
        scale = Signal(SCALE)
        m.d.comb += [
            coding.start.eq(start),
            residuals.start.eq(start),
            self.tokens.done.eq(done),
            [buffer.write.done.eq(done) for buffer in buffers.values()],
        ]
        if self.spec.together:
            self._run_ahead(m, reciprocal, scale, room, start, done)
            return
        begin = Signal()
        measure, measured = self._measure(m, reciprocal.o.payload, begin, done, scale)
        self._connect(m, measure, scale, reciprocal.o.payload)
        m.d.comb += [
            reciprocal.i.payload.eq(self.scale_i.payload.mantissa),
            reciprocal.i.valid.eq(begin),
            reciprocal.o.ready.eq(done),
        ]
        with m.FSM(name="phase"):
            with m.State("WAIT"):
                m.d.comb += self.scale_i.ready.eq(room)
                with m.If(self.scale_i.valid & room):
                    m.d.sync += scale.eq(self.scale_i.payload)
                    m.d.comb += begin.eq(1)
                    m.next = "PREPARE"
            with m.State("PREPARE"):
                with m.If(measured & reciprocal.o.valid):
                    m.d.comb += start.eq(1)
                    m.next = "WORK"
            with m.State("WORK"), m.If(self._finished(m, done)):
                m.next = "WAIT"

    def _run_ahead(
        self,
        m: Module,
        reciprocal: Reciprocal,
        scale: data.View,
        room: Value,
        start: Signal,
        done: Signal,
    ) -> None:
        """Divide by the next token's scale while this one is worked on; rows must be made."""
        following, there, quotient = Signal(SCALE), Signal(), Signal(QUOTIENT_BITS)
        measure, _ = self._measure(m, quotient, Const(0), done, scale)
        self._connect(m, measure, scale, quotient)
        m.d.comb += [
            self.scale_i.ready.eq(~there),
            reciprocal.i.valid.eq(self.scale_i.valid & ~there),
            reciprocal.i.payload.eq(self.scale_i.payload.mantissa),
            reciprocal.o.ready.eq(start),
        ]
        with m.If(self.scale_i.valid & ~there):
            m.d.sync += [following.eq(self.scale_i.payload), there.eq(1)]
        with m.FSM(name="phase"):
            with m.State("WAIT"), m.If(reciprocal.o.valid & room):
                m.d.comb += start.eq(1)
                m.d.sync += [scale.eq(following), quotient.eq(reciprocal.o.payload), there.eq(0)]
                m.next = "WORK"
            with m.State("WORK"), m.If(self._finished(m, done)):
                m.next = "WAIT"

    def _finished(self, m: Module, done: Signal) -> Value:
        """Return whether the token is done, and raise ``done`` then."""
        finished = self.coding.finished & self.residuals.finished
        m.d.comb += [self.scale_o.valid.eq(finished), done.eq(finished & self.scale_o.ready)]
        return done

    def _measure(
        self, m: Module, quotient: Value, begin: Value, done: Signal, scale: data.View
    ) -> tuple[Any, Value]:
        """Return what activations are measured with, and whether it is there."""
        if self.scaler is None:
            divisor = Signal(DIVISOR)
            m.d.comb += [
                divisor.reciprocal.eq(quotient[RECIPROCAL_DROP:]),
                divisor.exponent.eq(scale.exponent),
            ]
            return divisor, Const(1)
        scaler = self.put(m, "scaler", self.scaler)
        m.d.comb += [
            scaler.centroids.eq(self.a_centroids),
            self.residuals.a_centroids.eq(self.a_centroids),
            scaler.last_centroid.eq(self.shape.last_centroid),
            scaler.i.payload.eq(self.scale_i.payload),
            scaler.i.valid.eq(begin),
            scaler.o.ready.eq(done),
        ]
        return scaler.o.payload, scaler.o.valid

    def _connect(self, m: Module, measure: Any, scale: data.View, quotient: Value) -> None:
        """Give every part what is steady while a token is under way."""
        coding, residuals = self.coding, self.residuals
        m.d.comb += [
            coding.inputs.eq(self.shape.inputs),
            coding.measure.eq(measure),
            coding.tokens.data.eq(self.tokens.data),
            self.tokens.en.eq(coding.tokens.en),
            self.tokens.address.eq(coding.tokens.address),
            residuals.k_top.eq(self.shape.k_top),
            residuals.scale.eq(scale),
            residuals.measure.eq(measure),
            residuals.reciprocal.eq(quotient),
            write_as(self.row_buffer.write, residuals.rows),
            write_as(self.position_buffer.write, residuals.positions),
            write_as(self.shown_buffer.write, residuals.positions) if self.shown_buffer else [],
            self.scale_o.payload.eq(scale),
        ]
        if self.spec.snaps:
            for part in (coding, residuals):
                m.d.comb += [part.levels.eq(self.levels), part.form.eq(self.form)]
        self.write_codes(m)
        self.connect_residuals(m)
        connect(m, flipped(self.outlier_i), residuals.i)
