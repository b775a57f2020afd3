"""FP16 counter engine: the paper's engine in the paper's numbers."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.linear.counter.tile_requester import TileRequester
from hw.linear.counter_fp16.fp16_compensation_array import Fp16CompensationArray
from hw.linear.counter_fp16.fp16_constants import Fp16Constants
from hw.linear.counter_fp16.fp16_counter_array import Fp16CounterArray
from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec
from hw.linear.counter_fp16.fp16_output_stage import Fp16OutputStage
from hw.linear.counter_fp16.fp16_quantizer import Fp16Quantizer
from hw.linear.counter_fp16.fp16_row_requester import Fp16RowRequester
from hw.linear.counter_fp16.fp16_token_scale import Fp16TokenScale
from hw.linear.linear_engine import FLAGS, SCALES, watch
from hw.stream.share import share
from hw.token.token_ingest import TokenIngest


class Fp16CounterEngine(wiring.Component):
    """Run a linear layer of K-Means indices by counting, in FP16 (arXiv 2507.23035).

    Bit-exact with :func:`golden.exact.counter_fp16.forward`. Streams are those of
    :class:`hw.linear.counter.counter_engine.CounterEngine`; after the counts, all numbers are FP16.

    Parameters
    ----------
    spec : Fp16CounterSpec
        Widths, lines and the largest layer.

    Ports
    -----
    load_i : In(stream of ``word``)
        The layer's constants, as for :class:`hw.linear.counter_fp16.fp16_constants.Fp16Constants`.
        Words are taken while no token is under way; load all before a token's first beat.
    i : In(stream of ``lanes``)
        FP16 activations, ``inputs_per_beat`` a beat, lane 0 lowest; a token has
        ceil(K / inputs_per_beat) beats.
    tile_request_o : Out(stream of ``request``)
        As from :class:`hw.linear.counter.tile_requester.TileRequester`.
    tile_weight_i : In(stream of ``weights``)
        The answers, in order: 4-bit weight codes ``[line][input channel]``.
    row_request_o : Out(stream of ``request``)
        As from :class:`hw.linear.counter_fp16.fp16_row_requester.Fp16RowRequester`.
    row_weight_i : In(stream of ``weights``)
        The answers, in order: 4-bit weight codes ``[output channel of the group]``.
    o : Out(stream of ``beat``)
        FP16 outputs, ``scale_lanes`` a beat, as from
        :class:`hw.linear.counter_fp16.fp16_output_stage.Fp16OutputStage`.
    flags : Out(``FLAGS``)
        Sticky until cleared by a load word: an activation was NaN or infinite (and counted as
        zero), an output is infinite or not a number. ``saturated`` stays low.
    idle : Out(1)
        Whether no token is under way.

    Timing
    ------
    Latency : ``cycles(inputs, outputs, k_top)`` from a token's first weights, those of a tile or
        of a row, to its last outputs, both in, when nobody makes it wait.
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

    def __init__(self, spec: Fp16CounterSpec) -> None:
        self.spec = spec
        self.constants = Fp16Constants(spec)
        self.ingest = TokenIngest(spec)
        self.quantizer = Fp16Quantizer(spec)
        self.tile_requester = TileRequester(spec)
        self.row_requester = Fp16RowRequester(spec)
        self.counting = Fp16CounterArray(spec)
        self.compensation = Fp16CompensationArray(spec)
        self.output = Fp16OutputStage(spec)
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

        That is the slower branch, and a way out. Where the tiles of a block wait for their
        compensation, they go out one after another at the pace of the output stage.

        Parameters
        ----------
        inputs, outputs, k_top : int
            Size of the layer.
        later : int
            By how much the first row of weights comes later.
        """
        spec = self.spec
        tiles, groups = spec.tiles(outputs), -(-outputs // spec.group_channels)
        beats = -(-inputs // spec.pairs)
        # When the last tile's sums are complete, if it is for this branch to say.
        ready = [(tiles - 1) * max(beats, spec.steps) + beats - 1 + self.counting.latency]
        blocks, turns = -(-groups // spec.slots), 2 * k_top
        if k_top:
            in_last = tiles - (blocks - 1) * spec.tiles_together
            for block, behind in ((1, tiles - 1), (blocks, in_last - 1)):
                used = min(spec.slots, groups - (block - 1) * spec.slots)  # of the last turn
                summed = later + (block * turns - 1) * spec.slots + used - 1
                ready.append(summed + self.compensation.LATENCY + behind * spec.output_cycles)
        steps = -(-(outputs - (tiles - 1) * spec.output_lanes) // spec.scale_lanes)
        return max(ready) + self.output.LATENCY + steps

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        parts = ("constants", "ingest", "quantizer", "tile_requester", "row_requester")
        for name in (*parts, "counting", "compensation", "output"):
            m.submodules[name] = share(platform, getattr(self, name))
        quantizer, output = self.quantizer, self.output

        # Activations go in; a token's data, its scale and its outliers go on to the quantiser.
        connect(m, flipped(self.load_i), self.constants.i)
        connect(m, flipped(self.i), self.ingest.i)
        connect(m, self.ingest.scale_o, quantizer.scale_i)
        connect(m, self.ingest.outlier_o, quantizer.outlier_i)
        connect(m, quantizer.tokens, self.ingest.tokens)
        # Its codes are counted, its errors multiplied; the weights are asked for ahead.
        connect(m, self.tile_requester.o, flipped(self.tile_request_o))
        connect(m, flipped(self.tile_weight_i), self.counting.weight_i)
        connect(m, self.counting.codes, quantizer.codes)
        connect(m, self.row_requester.positions, quantizer.positions)
        connect(m, self.row_requester.o, flipped(self.row_request_o))
        connect(m, flipped(self.row_weight_i), self.compensation.row_i)
        connect(m, self.compensation.errors, quantizer.rows)
        # Both sums are scaled and added.
        connect(m, self.counting.o, output.i)
        connect(m, self.compensation.o, output.compensation_i)
        connect(m, output.o, flipped(self.o))

        # A scale is there long before its token is done: it has become FP16 by then.
        scale = Fp16TokenScale()
        m.submodules.scale = share(platform, scale)
        m.submodules.scales = scales = SyncFIFOBuffered(width=16, depth=SCALES)
        m.d.comb += [
            scale.i.eq(quantizer.scale_o.payload),
            scales.w_data.eq(scale.o),
            scales.w_en.eq(quantizer.scale_o.valid),
            quantizer.scale_o.ready.eq(scales.w_rdy),
            self.tile_requester.prepared.eq(quantizer.scale_o.valid & scales.w_rdy),
            output.scale_i.payload.eq(scales.r_data),
            output.scale_i.valid.eq(scales.r_rdy),
            scales.r_en.eq(output.scale_i.ready),
        ]
        self._distribute(m)
        watch(m, self)
        return m

    def _distribute(self, m: Module) -> None:
        """Give every part the constants it works with."""
        constants, output, compensation = self.constants, self.output, self.compensation
        sized = (self.ingest, self.quantizer, self.tile_requester, self.row_requester)
        m.d.comb += [
            part.shape.eq(constants.shape) for part in (*sized, self.counting, compensation)
        ]
        m.d.comb += [
            self.ingest.factor.eq(constants.factor),
            self.quantizer.a_centroids.eq(constants.a_centroids),
            self.counting.product_table.eq(constants.product_table),
            compensation.codebook.eq(constants.w_codebook),
            compensation.channel_en.eq(constants.channel_en),
            compensation.channel_address.eq(constants.channel_address),
            compensation.channel_scale.eq(constants.channel.scale),
            output.outputs.eq(constants.shape.outputs),
            output.compensated.eq(constants.shape.k_top != 0),
            output.channel_en.eq(constants.channel_en),
            output.channel_address.eq(constants.channel_address),
            output.channel.eq(constants.channel),
        ]
