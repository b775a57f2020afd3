"""Row requester: asks for the weight codes that compensation needs, ahead of the MACs."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import data

from hw.linear.counter.compensation_sequencer import CompensationSequencer
from hw.linear.counter.counter_spec import CounterSpec
from hw.stream.component import In, Out, OutStream, Sized
from hw.stream.token_buffer import ReadPort


class RowRequester(Sized[CounterSpec]):
    """Name the input channel and the output channels of every compensation beat.

    These are parts of the weight matrix's rows: one input channel, many outputs.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``positions.filled`` to ``o.valid``.
    Rate : one request per cycle while ``o.ready`` is high.
    Through paths : none to outputs; ``o.ready`` to ``positions.en`` and ``positions.done``.
    Reset : drops the request in flight; the next is a token's first.
    """

    LATENCY = 1

    shape = In(lambda c: c.spec.shape)
    """Size of the layer. Steady while tokens are under way."""
    positions = Out(lambda c: ReadPort(c.spec.position_bits, 1, 2 * c.spec.outliers_max))
    """Input channels of the outliers, one a word."""
    o = OutStream(lambda c: c.request)
    """``group`` of ``group_channels`` output channels, and the input ``channel``. What is said of
    channels beyond the layer does not matter.
    """

    def __init__(self, spec: CounterSpec) -> None:
        self.request = data.StructLayout(
            {"group": range(spec.channel_groups_max), "channel": spec.position_bits}
        )
        super().__init__(spec)

    def make_sequencer(self) -> Any:
        """Return what has the beats in their order."""
        return CompensationSequencer(self.spec)

    def build(self, m: Module) -> None:  # noqa: D102
        sequencer = self.put(m, "sequencer", self.make_sequencer())
        group = Signal.like(self.o.payload.group)
        advance = ~self.o.valid | self.o.ready
        m.d.comb += [
            sequencer.shape.eq(self.shape),
            sequencer.available.eq(self.positions.filled),
            sequencer.o.ready.eq(advance),
            self.positions.en.eq(advance),
            self.positions.address.eq(sequencer.o.payload.address),
            self.positions.done.eq(sequencer.done),
            self.o.payload.group.eq(group),
            self.o.payload.channel.eq(self.positions.data),
        ]
        with m.If(advance):
            m.d.sync += [self.o.valid.eq(sequencer.o.valid), group.eq(sequencer.o.payload.group)]
