"""Linear engine: activations in, FP16 outputs out, weights on request."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.linear.engine_spec import SCALE, EngineSpec
from hw.linear.layer_constants import LayerConstants
from hw.linear.lookup.lookup_array import LookupArray
from hw.linear.lookup.weight_requester import WeightRequester
from hw.linear.output.output_stage import OutputStage
from hw.stream.share import share
from hw.token.token_ingest import TokenIngest
from hw.token.token_quantizer import TokenQuantizer

FLAGS = data.StructLayout({"nonfinite": 1, "saturated": 1, "overflow": 1})
# Tokens whose scale waits for their outputs: two in buffers, one in the lanes, one going out.
SCALES = 4
TOKENS_BITS = 4  # more tokens than buffers and registers hold


class LinearEngine(wiring.Component):
    """Run a linear layer of K-Means indices, one token after another.

    Bit-exact with :func:`golden.exact.linear.forward`. Four stages work on different tokens at a
    time: ingest (scale and outliers), quantiser (codes and residual rows), lookup array, output
    stage.

    Parameters
    ----------
    spec : EngineSpec
        Widths, lanes and the largest layer.

    Ports
    -----
    load_i : In(stream of ``word``)
        The layer's constants, as for :class:`hw.linear.layer_constants.LayerConstants`. Words are
        taken while no token is under way; load all of them before a token's first beat.
    i : In(stream of ``lanes``)
        FP16 activations, ``k_t`` a beat, lane 0 lowest; ceil(K / k_t) beats a token.
    weight_request_o : Out(stream of ``request``)
        As from :class:`hw.linear.lookup.weight_requester.WeightRequester`.
    weight_i : In(stream of ``weights``)
        The answers, in order: 4-bit weight codes ``[input lane][output lane]``.
    o : Out(stream of ``beat``)
        FP16 outputs, ``scale_lanes`` a beat, as from
        :class:`hw.linear.output.output_stage.OutputStage`.
    flags : Out(``FLAGS``)
        Sticky until cleared by a load word: an activation was NaN or infinite (and counted as
        zero), a residual was beyond its range, an output is infinite.
    idle : Out(1)
        Whether no token is under way.

    Timing
    ------
    Latency : of a token whose outputs nobody makes wait, its last output beat is ``fill`` cycles
        after its last weights, when N is a multiple of n_t.
    Rate : a tile of n_t outputs every ceil(K / k_t) + D * ceil(2 k_top / k_t) cycles or every
        ``spec.tile_cycles``, the longer, and a token every ceil(N / n_t) tiles, when that is not
        less than the other stages need and nobody makes it wait.
    Through paths : none.
    Reset : drops all tokens; constants become zero and must be loaded again.
    """

    load_i: stream.Interface
    i: stream.Interface
    weight_request_o: stream.Interface
    weight_i: stream.Interface
    o: stream.Interface
    flags: data.View
    idle: Signal

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        self.constants = LayerConstants(spec)
        self.ingest = TokenIngest(spec)
        self.quantizer = TokenQuantizer(spec)
        self.requester = WeightRequester(spec)
        self.array = LookupArray(spec)
        self.output = OutputStage(spec)
        # From the lanes to the last step of the tile's way out.
        self.fill = 3 + self.output.latency + spec.output_lanes // spec.scale_lanes - 1
        ports = {
            "load_i": In(stream.Signature(self.constants.word)),
            "i": In(stream.Signature(self.ingest.lanes)),
            "weight_request_o": Out(stream.Signature(self.requester.request)),
            "weight_i": In(stream.Signature(self.array.weights)),
            "o": Out(stream.Signature(self.output.beat)),
            "flags": Out(FLAGS),
            "idle": Out(1),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        parts = ("constants", "ingest", "quantizer", "requester", "array", "output")
        for name in parts:
            m.submodules[name] = share(platform, getattr(self, name))
        constants, ingest, quantizer = self.constants, self.ingest, self.quantizer
        requester, array, output = self.requester, self.array, self.output

        # Activations go in; a token's data, its scale and its outliers go on to the quantiser.
        connect(m, flipped(self.load_i), constants.i)
        connect(m, flipped(self.i), ingest.i)
        connect(m, ingest.scale_o, quantizer.scale_i)
        connect(m, ingest.outlier_o, quantizer.outlier_i)
        connect(m, quantizer.tokens, ingest.tokens)
        # What it makes of them is looked up with the weights, which are asked for ahead.
        connect(m, requester.positions, quantizer.positions)
        connect(m, requester.o, flipped(self.weight_request_o))
        connect(m, array.codes, quantizer.codes)
        connect(m, array.rows, quantizer.rows)
        connect(m, flipped(self.weight_i), array.weight_i)
        m.d.comb += [
            array.room.eq(output.i.ready),
            output.i.valid.eq(array.tile_en),
            output.i.payload.eq(array.tile),
        ]
        connect(m, output.o, flipped(self.o))

        m.submodules.scales = scales = SyncFIFOBuffered(width=SCALE.size, depth=SCALES)
        m.d.comb += [
            scales.w_data.eq(quantizer.scale_o.payload),
            scales.w_en.eq(quantizer.scale_o.valid),
            quantizer.scale_o.ready.eq(scales.w_rdy),
            output.scale_i.payload.eq(scales.r_data),
            output.scale_i.valid.eq(scales.r_rdy),
            scales.r_en.eq(output.scale_i.ready),
        ]
        self._distribute(m)
        watch(m, self)
        return m

    def _distribute(self, m: Module) -> None:
        """Give every part the constants it works with."""
        constants, output = self.constants, self.output
        m.d.comb += [
            part.shape.eq(constants.shape)
            for part in (self.ingest, self.quantizer, self.requester, self.array)
        ]
        m.d.comb += [
            self.ingest.factor.eq(constants.factor),
            self.quantizer.a_centroids.eq(constants.a_centroids),
            self.quantizer.w_centroids.eq(constants.w_centroids),
            self.array.product_table.eq(constants.product_table),
            output.outputs.eq(constants.shape.outputs),
            output.channel_en.eq(constants.channel_en),
            output.channel_address.eq(constants.channel_address),
            output.channel.eq(constants.channel),
        ]


def watch(m: Module, engine: Any) -> None:
    """Keep an engine's flags, and count its tokens under way."""
    sent = engine.o.valid & engine.o.ready
    with m.If(engine.constants.clear_flags):
        m.d.sync += engine.flags.eq(0)
    for flag, raised in (
        (engine.flags.nonfinite, engine.ingest.nonfinite),
        (engine.flags.saturated, engine.quantizer.saturated),
        (engine.flags.overflow, sent & engine.o.payload.infinite.any()),
    ):
        with m.If(raised):
            m.d.sync += flag.eq(1)
    tokens = Signal(TOKENS_BITS)
    m.d.sync += tokens.eq(tokens + engine.ingest.started - (sent & engine.o.payload.last))
    m.d.comb += [engine.idle.eq(tokens == 0), engine.constants.idle.eq(engine.idle)]
