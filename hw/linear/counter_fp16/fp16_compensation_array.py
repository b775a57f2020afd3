"""FP16 compensation array: what the outliers add to the sums, by MACs beside the counters."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring

from hw.formats import INDEX_BITS
from hw.linear.counter_fp16.dequant_unit import CODEBOOK, DequantUnit
from hw.linear.counter_fp16.fp16_compensation_mac import Fp16CompensationMac
from hw.linear.counter_fp16.fp16_compensation_sequencer import Fp16CompensationSequencer
from hw.linear.counter_fp16.fp16_counter_spec import FP16_CHANNEL, Fp16CounterSpec
from hw.linear.counter_fp16.fp16_tile_reader import Fp16TileReader
from hw.stream.channel_memory import ChannelMemory
from hw.stream.component import In, InStream, Out, OutStream, Sized
from hw.stream.pipeline import later
from hw.stream.token_buffer import ReadPort, TokenBuffer

PLACES = 2  # blocks that a token buffer holds


class Fp16CompensationArray(Sized[Fp16CounterSpec]):
    """Multiply a token's errors with the dequantised weight rows of its outliers.

    Bit-exact with :func:`golden.exact.counter_fp16.compensation`. Each MAC works on ``slots``
    output channels in turn, so that every sum is complete before its next outlier comes; a weight
    that misses its channel's turn waits for the next one. The sums of a block of channels are kept
    while the next block is summed.

    Timing
    ------
    Latency : ``LATENCY`` cycles from the transfer of a block's last weights to ``o.valid``.
    Rate : a turn of ``slots`` cycles for each outlier and block, while weights come in time and
        the sums of the block before the last one are taken; they go out a tile per cycle, and a
        cycle more for each group.
    Through paths : ``row_i.valid`` to ``residuals.en`` and ``residuals.done``, combinational.
    Reset : drops the sums under way; the next beat is a token's first.
    """

    TO_MAC = DequantUnit.LATENCY
    TO_SUM = TO_MAC + Fp16CompensationMac.LATENCY
    LATENCY = TO_SUM + 1 + Fp16TileReader.LATENCY

    shape = In(lambda c: c.spec.shape)
    """Size of the layer. This and ``w_centroids`` are steady while tokens are under way."""
    w_centroids = In(CODEBOOK)
    """FP16 centroids of the weights."""
    channel_en = In(1)
    """Strobe: writes the scale of ``channel`` to output channel ``channel_address``."""
    channel_address = In(lambda c: range(c.spec.outputs_max))
    """Output channel."""
    channel = In(FP16_CHANNEL)
    """Its FP16 scale; the bias is not used."""
    residuals = Out(lambda c: ReadPort(c.spec.residual.size, 1, 2 * c.spec.outliers_max))
    """The tokens' FP16 errors, one outlier a word."""
    row_i = InStream(lambda c: c.weights)
    """4-bit weight codes ``[output channel of the group]``, one beat after another, in the order of
    :class:`hw.linear.counter_fp16.fp16_compensation_sequencer.Fp16CompensationSequencer`.
    """
    o = OutStream(lambda c: c.spec.compensation_tile)
    """FP16 sums of one tile after another."""

    def __init__(self, spec: Fp16CounterSpec) -> None:
        self.weights = data.ArrayLayout(INDEX_BITS, spec.group_channels)
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        sequencer = self.put(m, "sequencer", Fp16CompensationSequencer(spec))
        following = sequencer.o.payload
        read = Signal(spec.compensation_beat)
        valid, fire, fetch, room = Signal(), Signal(), Signal(), Signal()
        turn = Signal(range(spec.slots))
        m.d.sync += turn.eq(turn + 1)  # goes round: there are 2**n slots
        m.d.comb += [
            sequencer.shape.eq(self.shape),
            sequencer.available.eq(self.residuals.filled),
            sequencer.o.ready.eq(~valid | fire),
            fetch.eq(sequencer.o.valid & sequencer.o.ready),
            self.residuals.en.eq(fetch),
            self.residuals.address.eq(following.address),
            self.residuals.done.eq(sequencer.done),
            self.row_i.ready.eq(valid & (turn == read.slot) & (~read.last | room)),
            fire.eq(self.row_i.valid & self.row_i.ready),
        ]
        with m.If(fetch):
            m.d.sync += [valid.eq(1), read.eq(following)]
        with m.Elif(fire):
            m.d.sync += valid.eq(0)

        # Along with the weight that is dequantised: its error, and what the MAC shall do.
        error = later(m, self.residuals.data, self.TO_MAC)
        live = later(m, fire, self.TO_MAC - 1, reset_less=False)
        first = later(m, fire & read.first, self.TO_MAC - 1, reset_less=False)
        scales = self.put(
            m,
            "scales",
            ChannelMemory(16, spec.group_channels, spec.channel_groups_max),
            channel_en=self.channel_en,
            channel_address=self.channel_address,
            channel=self.channel.scale,
        )
        m.d.comb += [scales.read_en.eq(fetch), scales.group.eq(following.group)]
        totals = Signal(spec.group_word)
        for n in range(spec.group_channels):
            unit = self.put(m, f"dequant{n}", DequantUnit())
            mac = self.put(m, f"mac{n}", Fp16CompensationMac(spec.slots))
            m.d.comb += [
                unit.codebook.eq(self.w_centroids),
                unit.code.eq(self.row_i.payload[n]),
                unit.scale.eq(scales.values[n]),
                mac.weight.eq(unit.o),
                mac.error.eq(error),
                mac.live.eq(live),
                mac.first.eq(first),
                totals[n].eq(mac.total),
            ]
        self._keep(m, fire, read, totals, room)

    def _keep(self, m: Module, fire: Signal, read: data.View, totals, room: Signal) -> None:
        """Keep a block's sums, hand them out, and say whether another block may end."""
        spec = self.spec
        kept = TokenBuffer(spec.group_word.size, 1, spec.slots)
        reader = Fp16TileReader(spec)
        self.put(m, "kept", kept)
        self.put(m, "reader", reader)
        wiring.connect(m, reader.blocks, kept.read)
        wiring.connect(m, reader.o, wiring.flipped(self.o))
        m.d.comb += reader.outputs.eq(self.shape.outputs)

        # A place is taken when a block begins to end, some cycles before it is written.
        left, begins = Signal(range(PLACES + 1), init=PLACES), Signal()
        inside = Signal()  # the block's other groups follow the first one
        with m.If(fire):
            m.d.sync += inside.eq(read.last & ~read.block_last)
        m.d.sync += left.eq(left - begins + kept.read.done)
        m.d.comb += [
            begins.eq(fire & read.last & ~inside),
            room.eq(inside | (left != 0)),
            kept.write.en.eq(later(m, fire & read.last, self.TO_SUM, reset_less=False)),
            kept.write.address.eq(later(m, read.slot, self.TO_SUM)),
            kept.write.data.eq(totals),
            kept.write.done.eq(later(m, fire & read.block_last, self.TO_SUM, reset_less=False)),
        ]
