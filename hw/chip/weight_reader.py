"""Weight reader: answers the engine's requests from the tile buffer."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.utils import exact_log2

from hw.chip.chip_spec import ChipSpec
from hw.chip.tile_buffer import TileRead
from hw.chip.tile_fetcher import tiles_range
from hw.linear.lookup.lookup_array import LookupArray
from hw.linear.lookup.weight_requester import WeightRequester
from hw.stream.component import In, InStream, Out, OutStream, Sized
from hw.stream.share import looked_at


class WeightReader(Sized[ChipSpec]):
    """Look up the codes that the engine asks for, in tiles as they come from memory.

    A beat of a token's inputs is one word of the buffer. The inputs of a beat of outliers lie
    anywhere: their rows are read one by one and written side by side, then read as a beat, once
    for each digit.

    Timing
    ------
    Latency : 1 cycle from a request to its answer; for the first of a group of outliers
        ``outlier_lanes + 2`` cycles more.
    Rate : a beat per cycle; the first of a group of outliers in ``outlier_lanes + 3`` cycles.
    Through paths : ``o.ready`` and ``request_i.payload`` to ``request_i.ready``; ``filled`` to
        ``request_i.ready`` and ``read``; ``read.data`` to ``o.payload``; combinational.
    Reset : drops what is under way.
    """

    request_i = InStream(lambda c: c.request)
    """As from :class:`hw.linear.lookup.weight_requester.WeightRequester`."""
    o = OutStream(lambda c: c.weights)
    """The answers."""
    read = Out(lambda c: TileRead(c.spec))
    """Side of the tile buffer."""
    filled = In(lambda c: tiles_range(c.spec))
    """Tiles of this step that are in the buffer, or were."""
    released = Out(lambda c: tiles_range(c.spec))
    """Tiles of this step that are not needed any more."""
    start = In(1)
    """Strobe: a step begins."""
    outlier_lanes = In(lambda c: range(c.spec.engine.inputs_per_beat + 1))
    """Input lanes that a beat of outliers fills at most."""
    digits = In(lambda c: range(c.spec.engine.residual_digits + 1))
    """Requests for the same outliers, one behind the other."""

    def __init__(self, spec: ChipSpec) -> None:
        self.request = looked_at(WeightRequester(spec.engine)).request
        self.weights = looked_at(LookupArray(spec.engine)).weights
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        spec, read, request = self.spec, self.read, self.request_i.payload
        lanes = spec.engine.inputs_per_beat
        lane_bits = exact_log2(lanes)
        valid = Signal()  # what the buffer shows is an answer
        ready, there, gather, gathering = Signal(), Signal(), Signal(), Signal()
        lane = Signal(range(lanes + 1))
        again = Signal.like(self.digits)  # requests to come for the rows that are gathered
        m.d.comb += [
            there.eq(self.filled > request.tile),
            ready.eq(~valid | self.o.ready),
            gather.eq(request.outliers & (again == 0)),
            read.half.eq(request.tile[0]),
            self.o.valid.eq(valid),
            self.o.payload.eq(read.data),
        ]

        # Rows of outliers: one read in each cycle, and written in the next.
        channel = Signal(spec.engine.position_bits)
        reading, row_read, row_lane = Signal(), Signal(), Signal(range(lanes))
        row_of, complete = Signal(lane_bits), Signal()
        m.d.comb += [
            channel.eq(request.channels[lane[:lane_bits]]),
            reading.eq(gathering & (lane != self.outlier_lanes)),
            complete.eq(gathering & (lane == self.outlier_lanes) & ~row_read),
            read.row_en.eq(row_read),
            read.lane.eq(row_lane),
            read.row.eq(read.data.word_select(row_of, spec.row_bits)),
        ]
        m.d.sync += [row_read.eq(reading), row_lane.eq(lane), row_of.eq(channel[:lane_bits])]
        first = Mux(gathering, channel, request.channels[0])
        taken, begin = Signal(), Signal()
        m.d.comb += [
            begin.eq(self.request_i.valid & there & ready & gather & ~gathering),
            taken.eq(self.request_i.valid & there & Mux(gather, complete, ready)),
            self.request_i.ready.eq(there & Mux(gather, complete, ready)),
            read.beat.eq(first[lane_bits:]),
            read.gathered.eq(complete | (again != 0)),
            read.en.eq(taken | reading),
        ]
        with m.If(begin):
            m.d.sync += [gathering.eq(1), lane.eq(0), valid.eq(0)]
        with m.Elif(reading):
            m.d.sync += lane.eq(lane + 1)
        with m.Elif(complete & self.request_i.valid):
            m.d.sync += gathering.eq(0)
        with m.If(taken):
            m.d.sync += valid.eq(1)
        with m.Elif(self.o.ready & ~begin):
            m.d.sync += valid.eq(0)
        with m.If(taken & request.outliers):
            m.d.sync += again.eq(Mux(gather, self.digits, again) - 1)
        with m.If(self.start):
            m.d.sync += [self.released.eq(0), again.eq(0)]
        with m.Elif(self.request_i.valid & there):
            m.d.sync += self.released.eq(request.tile)
