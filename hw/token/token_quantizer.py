"""Quantiser: codes, residual rows and outlier positions of one token after another."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import data
from amaranth.lib.wiring import connect, flipped

from hw.engine_spec import EngineSpec
from hw.formats import INDEX_BITS, SCALE
from hw.stream.component import Component, In, InStream, Out, OutStream
from hw.stream.token_buffer import ReadPort, TokenBuffer, write_as
from hw.token.cluster_pass import ClusterPass
from hw.token.midpoint_scaler import MidpointScaler
from hw.token.reciprocal import Reciprocal
from hw.token.residual_builder import ResidualBuilder


class TokenQuantizer(Component):
    """Turn a buffered token into what the lookup array works on.

    Parameters
    ----------
    spec : EngineSpec
        Widths, lanes and the largest layer.

    Timing
    ------
    Latency : 1 + ``preparation`` + the longer of the clustering pass and the residual rows, from
        a transfer on ``scale_i`` to ``scale_o.valid``, when the outliers are there.
    Rate : one token at a time.
    Through paths : none.
    Reset : drops all tokens.
    """

    shape = In(lambda c: c.spec.shape)
    """Size of the layer. This and the codebooks are steady while tokens are under way."""
    a_centroids = In(lambda c: c.spec.codebook)
    """As for :class:`hw.token.midpoint_scaler.MidpointScaler`."""
    w_centroids = In(lambda c: c.spec.codebook)
    """As for :class:`hw.token.residual_builder.ResidualBuilder`."""
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
    saturated = Out(1)
    """Strobe: a residual was beyond its range."""

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        self.scaler = MidpointScaler(spec)
        self.preparation = max(self.scaler.latency, Reciprocal.LATENCY)
        self.residuals = self.make_residuals()
        self.code_buffer, self.row_buffer, self.position_buffer = self.make_buffers()
        super().__init__()

    def make_residuals(self) -> Any:
        """Return what works on the residuals."""
        return ResidualBuilder(self.spec)

    def make_buffers(self) -> tuple[TokenBuffer, TokenBuffer, TokenBuffer]:
        """Return the buffers of codes, of residuals or their rows, and of positions."""
        spec = self.spec
        lanes, digits = spec.inputs_per_beat, spec.numbers.residual_digits
        return (
            TokenBuffer(INDEX_BITS * lanes, 1, spec.beats_max),
            TokenBuffer(spec.row.size, lanes, spec.groups_max * digits),
            TokenBuffer(spec.position_bits, lanes, spec.groups_max),
        )

    def write_codes(self, m: Module, clustering: ClusterPass) -> None:
        """Let the clustering pass write the codes."""
        m.d.comb += write_as(self.code_buffer.write, clustering.codes)

    def build(self, m: Module) -> None:  # noqa: D102
        scaler = self.put(m, "scaler", self.scaler)
        reciprocal = self.put(m, "reciprocal", Reciprocal())
        clustering = self.put(m, "clustering", ClusterPass(self.spec))
        residuals = self.put(m, "residuals", self.residuals)
        buffers = {
            "codes": self.code_buffer,
            "rows": self.row_buffer,
            "positions": self.position_buffer,
        }
        for name, buffer in buffers.items():
            self.put(m, name, buffer)
            connect(m, flipped(getattr(self, name)), buffer.read)

        room, done, start = Signal(), Signal(), Signal()
        scale = Signal(SCALE)
        self._connect(m, scaler, reciprocal, clustering, residuals, scale)
        m.d.comb += [
            room.eq(self.code_buffer.write.free & self.row_buffer.write.free),
            clustering.start.eq(start),
            residuals.start.eq(start),
            scaler.o.ready.eq(done),
            reciprocal.o.ready.eq(done),
            self.tokens.done.eq(done),
            [buffer.write.done.eq(done) for buffer in buffers.values()],
        ]
        with m.FSM(name="phase"):
            with m.State("WAIT"):
                go = room & self.position_buffer.write.free
                m.d.comb += self.scale_i.ready.eq(go)
                with m.If(self.scale_i.valid & go):
                    m.d.sync += scale.eq(self.scale_i.payload)
                    m.d.comb += [scaler.i.valid.eq(1), reciprocal.i.valid.eq(1)]
                    m.next = "PREPARE"
            with m.State("PREPARE"):
                with m.If(scaler.o.valid & reciprocal.o.valid):
                    m.d.comb += start.eq(1)
                    m.next = "WORK"
            with m.State("WORK"):
                finished = clustering.finished & residuals.finished
                m.d.comb += self.scale_o.valid.eq(finished)
                with m.If(finished & self.scale_o.ready):
                    m.d.comb += done.eq(1)
                    m.next = "WAIT"

    def _connect(
        self,
        m: Module,
        scaler: MidpointScaler,
        reciprocal: Reciprocal,
        clustering: ClusterPass,
        residuals: Any,
        scale: data.View,
    ) -> None:
        """Give every part what is steady while a token is under way."""
        m.d.comb += [
            scaler.centroids.eq(self.a_centroids),
            scaler.last_centroid.eq(self.shape.last_centroid),
            scaler.i.payload.eq(self.scale_i.payload),
            reciprocal.i.payload.eq(self.scale_i.payload.mantissa),
            clustering.inputs.eq(self.shape.inputs),
            clustering.thresholds.eq(scaler.o.payload),
            clustering.tokens.data.eq(self.tokens.data),
            self.tokens.en.eq(clustering.tokens.en),
            self.tokens.address.eq(clustering.tokens.address),
            residuals.k_top.eq(self.shape.k_top),
            residuals.a_centroids.eq(self.a_centroids),
            residuals.w_centroids.eq(self.w_centroids),
            residuals.scale.eq(scale),
            residuals.thresholds.eq(scaler.o.payload),
            residuals.reciprocal.eq(reciprocal.o.payload),
            write_as(self.row_buffer.write, residuals.rows),
            write_as(self.position_buffer.write, residuals.positions),
            self.saturated.eq(residuals.saturated),
            self.scale_o.payload.eq(scale),
        ]
        self.write_codes(m, clustering)
        connect(m, flipped(self.outlier_i), residuals.i)
