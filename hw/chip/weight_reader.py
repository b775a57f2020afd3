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

    A beat of a token's inputs is a word of the tile buffer. A beat of outliers has been gathered by
    :class:`hw.chip.outlier_gatherer.OutlierGatherer`, and is asked for once for each digit.

    Timing
    ------
    Latency : 1 cycle from a request to its answer.
    Rate : a beat per cycle, while its tile, or its outliers' rows, are there.
    Through paths : ``o.ready`` and ``request_i.payload`` to ``request_i.ready``; ``filled`` and
        ``gathered`` to ``request_i.ready`` and ``read``; ``read.data`` to ``o.payload``;
        combinational.
    Reset : drops what is under way.
    """

    request_i = InStream(lambda c: c.request)
    """As from :class:`hw.linear.lookup.weight_requester.WeightRequester`."""
    o = OutStream(lambda c: c.weights)
    """The answers."""
    read = Out(lambda c: TileRead(c.spec))
    """Side of the tile buffer."""
    gathered = In(1)
    """Whether there is a beat of outliers, the next one."""
    done = Out(1)
    """Strobe: it is not needed any more, after this cycle's read."""
    filled = In(lambda c: tiles_range(c.spec))
    """Tiles of this step that are in the buffer, or were."""
    released = Out(lambda c: tiles_range(c.spec))
    """Tiles of this step that are not needed any more."""
    start = In(1)
    """Strobe: a step begins."""
    digits = In(lambda c: range(c.spec.engine.residual_digits + 1))
    """Requests for the same outliers, one behind the other."""

    def __init__(self, spec: ChipSpec) -> None:
        self.request = looked_at(WeightRequester(spec.engine)).request
        self.weights = looked_at(LookupArray(spec.engine)).weights
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        spec, read, request = self.spec, self.read, self.request_i.payload
        lane_bits = exact_log2(spec.engine.inputs_per_beat)
        valid = Signal()  # what is shown is an answer
        ready, there, taken = Signal(), Signal(), Signal()
        again = Signal.like(self.digits)  # requests to come for the rows that were asked for last
        left = Signal.like(self.digits)
        m.d.comb += [
            there.eq(Mux(request.outliers, self.gathered, self.filled > request.tile)),
            ready.eq(there & (~valid | self.o.ready)),
            self.request_i.ready.eq(ready),
            taken.eq(self.request_i.valid & ready),
            left.eq(Mux(again == 0, self.digits, again) - 1),
            read.en.eq(taken),
            read.gathered.eq(request.outliers),
            read.half.eq(request.tile[0]),
            read.beat.eq(request.channels[0][lane_bits:]),
            self.done.eq(taken & request.outliers & (left == 0)),
            self.o.valid.eq(valid),
            self.o.payload.eq(read.data),
        ]
        m.d.sync += read.place.eq(read.place + self.done)
        with m.If(taken):
            m.d.sync += valid.eq(1)
            with m.If(request.outliers):
                m.d.sync += again.eq(left)
        with m.Elif(self.o.ready):
            m.d.sync += valid.eq(0)
        with m.If(self.start):
            m.d.sync += self.released.eq(0)
        with m.Elif(self.request_i.valid & there):
            m.d.sync += self.released.eq(request.tile)
