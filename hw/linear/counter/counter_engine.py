"""Counter engine: the paper's way to run a layer of K-Means indices, by counting pairs."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.linear.counter.compensation_array import CompensationArray
from hw.linear.counter.counter_array import CounterArray
from hw.linear.counter.counter_quantizer import CounterQuantizer
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.counter.row_requester import RowRequester
from hw.linear.counter.sum_join import SumJoin
from hw.linear.counter.tile_requester import TileRequester
from hw.linear.engine_spec import SCALE
from hw.linear.layer_constants import LayerConstants
from hw.linear.linear_engine import FLAGS, SCALES, watch
from hw.linear.output.output_stage import OutputStage
from hw.stream.share import share
from hw.token.token_ingest import TokenIngest


class CounterEngine(wiring.Component):
    """Run a linear layer of K-Means indices, one token after another (arXiv 2507.23035).

    Bit-exact with :func:`golden.exact.linear.forward`, and so with
    :class:`hw.linear.linear_engine.LinearEngine`. The main branch counts how often each pair of
    indices occurs for an output channel, and multiplies the counts with the products; the outlier
    branch multiplies residuals with the weights' centroids beside it. Both use a weight matrix of
    their own order: columns there, rows here, so there are two streams of weights.

    Parameters
    ----------
    spec : CounterSpec
        Widths, lines and the largest layer.

    Ports
    -----
    load_i : In(stream of ``word``)
        The layer's constants, as for :class:`hw.linear.layer_constants.LayerConstants`. Words are
        taken while no token is under way; load all of them before a token's first beat.
    i : In(stream of ``lanes``)
        FP16 activations, ``inputs_per_beat`` a beat, lane 0 lowest; a token has
        ceil(K / inputs_per_beat) beats.
    tile_request_o : Out(stream of ``request``)
        As from :class:`hw.linear.counter.tile_requester.TileRequester`.
    tile_weight_i : In(stream of ``weights``)
        The answers, in order: 4-bit weight codes ``[line][input channel]``.
    row_request_o : Out(stream of ``request``)
        As from :class:`hw.linear.counter.row_requester.RowRequester`.
    row_weight_i : In(stream of ``weights``)
        The answers, in order: 4-bit weight codes ``[output channel of the group]``.
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
    Latency : ``cycles(inputs, outputs, k_top)`` from a token's first tile weights to its last
        outputs, both in, when nobody makes it wait.
    Rate : a token every ``max(main_cycles, compensation_cycles)`` cycles of the spec, when that
        is not less than the other stages need and nobody makes it wait.
    Through paths : none.
    Reset : drops all tokens; constants become zero and must be loaded again.
    """

    load_i: stream.Interface
    i: stream.Interface
    tile_request_o: stream.Interface
    tile_weight_i: stream.Interface
    row_request_o: stream.Interface
    row_weight_i: stream.Interface
    o: stream.Interface
    flags: data.View
    idle: Signal

    def __init__(self, spec: CounterSpec) -> None:
        self.spec = spec
        self.constants = LayerConstants(spec)
        self.ingest = TokenIngest(spec)
        self.quantizer = CounterQuantizer(spec)
        self.tile_requester = TileRequester(spec)
        self.row_requester = RowRequester(spec)
        self.counting = CounterArray(spec)
        self.compensation = CompensationArray(spec)
        self.join = SumJoin(spec)
        self.output = OutputStage(spec)
        ports = {
            "load_i": In(stream.Signature(self.constants.word)),
            "i": In(stream.Signature(self.ingest.lanes)),
            "tile_request_o": Out(stream.Signature(self.tile_requester.request)),
            "tile_weight_i": In(stream.Signature(self.counting.weights)),
            "row_request_o": Out(stream.Signature(self.row_requester.request)),
            "row_weight_i": In(stream.Signature(self.compensation.weights)),
            "o": Out(stream.Signature(self.output.beat)),
            "flags": Out(FLAGS),
            "idle": Out(1),
        }
        super().__init__(ports)

    def cycles(self, inputs: int, outputs: int, k_top: int, *, later: int = 0) -> int:
        """Return the cycles from a lone token's first tile weights to its last outputs, both in.

        That is the slower branch, and a way out. Where the tiles of a group wait for their
        compensation, they go out one after another at the pace of the output stage.

        Parameters
        ----------
        inputs, outputs, k_top : int
            Size of the layer.
        later : int
            By how much the first row of weights comes later.
        """
        spec, outliers = self.spec, 2 * k_top
        tiles, groups = spec.tiles(outputs), -(-outputs // spec.group_channels)
        beats = -(-inputs // spec.pairs)
        # When the last tile's sums are complete, if it is for this branch to say.
        ready = [(tiles - 1) * max(beats, spec.steps) + beats - 1 + self.counting.latency]
        if k_top:
            in_last = tiles - (groups - 1) * spec.compensation_macs
            for group, behind in ((1, tiles - 1), (groups, in_last - 1)):
                summed = later + group * outliers - 1 + self.compensation.LATENCY
                ready.append(summed + behind * spec.output_cycles)
        steps = -(-(outputs - (tiles - 1) * spec.output_lanes) // spec.scale_lanes)
        return max(ready) + self.join.LATENCY + self.output.latency + steps

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        parts = ("constants", "ingest", "quantizer", "tile_requester", "row_requester")
        for name in (*parts, "counting", "compensation", "join", "output"):
            m.submodules[name] = share(platform, getattr(self, name))
        constants, ingest, quantizer = self.constants, self.ingest, self.quantizer

        # Activations go in; a token's data, its scale and its outliers go on to the quantiser.
        connect(m, flipped(self.load_i), constants.i)
        connect(m, flipped(self.i), ingest.i)
        connect(m, ingest.scale_o, quantizer.scale_i)
        connect(m, ingest.outlier_o, quantizer.outlier_i)
        connect(m, quantizer.tokens, ingest.tokens)
        # Its codes are counted, its residuals multiplied; the weights are asked for ahead.
        connect(m, self.tile_requester.o, flipped(self.tile_request_o))
        connect(m, flipped(self.tile_weight_i), self.counting.weight_i)
        connect(m, self.counting.codes, quantizer.codes)
        connect(m, self.row_requester.positions, quantizer.positions)
        connect(m, self.row_requester.o, flipped(self.row_request_o))
        connect(m, flipped(self.row_weight_i), self.compensation.row_i)
        connect(m, self.compensation.residuals, quantizer.rows)
        # Both sums together are scaled.
        connect(m, self.counting.o, self.join.i)
        connect(m, self.compensation.o, self.join.compensation_i)
        connect(m, self.join.o, self.output.i)
        connect(m, self.output.o, flipped(self.o))

        m.submodules.scales = scales = SyncFIFOBuffered(width=SCALE.size, depth=SCALES)
        m.d.comb += [
            scales.w_data.eq(quantizer.scale_o.payload),
            scales.w_en.eq(quantizer.scale_o.valid),
            quantizer.scale_o.ready.eq(scales.w_rdy),
            self.tile_requester.prepared.eq(quantizer.scale_o.valid & scales.w_rdy),
            self.output.scale_i.payload.eq(scales.r_data),
            self.output.scale_i.valid.eq(scales.r_rdy),
            scales.r_en.eq(self.output.scale_i.ready),
        ]
        self._distribute(m)
        watch(m, self)
        return m

    def _distribute(self, m: Module) -> None:
        """Give every part the constants it works with."""
        constants, output = self.constants, self.output
        sized = (self.ingest, self.quantizer, self.tile_requester, self.row_requester)
        m.d.comb += [
            part.shape.eq(constants.shape) for part in (*sized, self.counting, self.compensation)
        ]
        m.d.comb += [
            self.ingest.factor.eq(constants.factor),
            self.quantizer.a_centroids.eq(constants.a_centroids),
            self.quantizer.w_centroids.eq(constants.w_centroids),
            self.counting.product_table.eq(constants.product_table),
            self.compensation.w_centroids.eq(constants.w_centroids),
            self.join.compensated.eq(constants.shape.k_top != 0),
            output.outputs.eq(constants.shape.outputs),
            output.channel_en.eq(constants.channel_en),
            output.channel_address.eq(constants.channel_address),
            output.channel.eq(constants.channel),
        ]
