"""Compensation array: what the outliers add to the sums, by MACs beside the counters."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring

from hw.formats import INDEX_BITS
from hw.linear.counter.compensation_mac import CompensationMac
from hw.linear.counter.compensation_sequencer import CompensationSequencer
from hw.linear.counter.counter_spec import CounterSpec
from hw.stream.component import In, InStream, Out, OutStream, Sized
from hw.stream.queue import Queue
from hw.stream.token_buffer import ReadPort


class CompensationArray(Sized[CounterSpec]):
    """Multiply a token's residuals with the weight rows of its outliers.

    A group of output channels at a time: when all outliers are added, its sums are kept, and go
    tile by tile into a queue that holds a group, while the next group is summed.

    Timing
    ------
    Latency : ``LATENCY`` cycles from the transfer of a group's last weights to ``o.valid``.
    Rate : one beat per cycle while weights come and the group before is taken in time; a group
        every ``LATENCY`` cycles at most; one tile per cycle.
    Through paths : ``row_i.valid`` to ``residuals.en`` and ``residuals.done``, combinational.
    Reset : drops the sums under way; the next beat is a token's first.
    """

    LATENCY = 3 + CompensationMac.LATENCY

    shape = In(lambda c: c.spec.shape)
    """Size of the layer. This and ``w_centroids`` are steady while tokens are under way."""
    w_centroids = In(lambda c: c.spec.weight_codebook)
    """Weight codebook."""
    residuals = Out(lambda c: ReadPort(c.spec.residual.size, 1, 2 * c.spec.outliers_max))
    """The tokens' residuals, one a word."""
    row_i = InStream(lambda c: c.weights)
    """4-bit weight codes ``[output channel of the group]``, one beat after another, in the order of
    :class:`hw.linear.counter.compensation_sequencer.CompensationSequencer`.
    """
    o = OutStream(lambda c: c.spec.compensation_tile)
    """Sums of one tile after another, in table units."""

    def __init__(self, spec: CounterSpec) -> None:
        self.weights = data.ArrayLayout(INDEX_BITS, spec.group_channels)
        self.macs = [CompensationMac(spec) for _ in range(spec.group_channels)]
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        sequencer = self.put(m, "sequencer", CompensationSequencer(spec))
        following = sequencer.o.payload
        read = Signal(data.StructLayout({"first": 1, "last": 1, "tiles": following.tiles.shape()}))
        valid, fire, fetch, room = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            sequencer.shape.eq(self.shape),
            sequencer.available.eq(self.residuals.filled),
            sequencer.o.ready.eq(~valid | fire),
            fetch.eq(sequencer.o.valid & sequencer.o.ready),
            self.residuals.en.eq(fetch),
            self.residuals.address.eq(following.address),
            self.residuals.done.eq(sequencer.done),
            self.row_i.ready.eq(valid & (~read.first | room)),
            fire.eq(self.row_i.valid & self.row_i.ready),
        ]
        with m.If(fetch):
            m.d.sync += [
                valid.eq(1),
                read.first.eq(following.first),
                read.last.eq(following.last),
                read.tiles.eq(following.tiles),
            ]
        with m.Elif(fire):
            m.d.sync += valid.eq(0)
        residual = Signal(spec.residual)
        first, last = Signal(), Signal(CompensationMac.LATENCY)
        m.d.comb += [residual.eq(Mux(fire, self.residuals.data, 0)), first.eq(fire & read.first)]
        m.d.sync += last.eq(Cat(fire & read.last, last))
        for n, mac in enumerate(self.macs):
            self.put(m, f"mac{n}", mac, w_centroids=self.w_centroids, weight=self.row_i.payload[n])
            m.d.comb += [mac.residual.eq(residual), mac.first.eq(first)]
        self._keep(m, last, fire, read, room)

    def _keep(self, m: Module, last: Signal, fire: Signal, read: data.View, room: Signal) -> None:
        """Keep complete groups, hand them out, and say whether the next one may begin.

        It may while the one before is still on its way through the MACs, if that finds room to
        be kept: nothing else can take the room.
        """
        spec = self.spec
        queue = self.put(m, "queue", Queue(spec.compensation_tile, spec.compensation_macs))
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        kept = Signal(data.ArrayLayout(spec.compensation_tile, spec.compensation_macs))
        left = Signal.like(read.tiles)  # tiles of the group that is kept
        unsaved = Signal(range(3))  # groups whose last outlier is taken, and that are not kept yet
        waiting, keep, complete = Signal(), Signal(), Signal()
        tiles = Signal(len(left) * len(last))
        m.d.sync += tiles.eq(Cat(read.tiles, tiles))
        held = Signal.like(left)
        arrived = Signal.like(left)
        m.d.comb += [
            arrived.eq(Mux(waiting, held, tiles[-len(left) :])),
            complete.eq(last[-1] | waiting),
            keep.eq(complete & (left == 0)),
            room.eq((unsaved == 0) | ((unsaved == 1) & (left == 0))),
            queue.i.valid.eq(left != 0),
            queue.i.payload.eq(kept[0]),
        ]
        m.d.sync += [
            held.eq(arrived),
            waiting.eq(complete & ~keep),
            unsaved.eq(unsaved + (fire & read.last) - keep),
        ]
        with m.If(keep):
            m.d.sync += [left.eq(arrived), kept.eq(Cat(mac.total for mac in self.macs))]
        with m.Elif((left != 0) & queue.i.ready):
            shifted = kept.as_value() >> spec.compensation_tile.size
            m.d.sync += [left.eq(left - 1), kept.eq(shifted)]
