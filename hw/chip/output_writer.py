"""Output writer: the engine's outputs into the vector memory."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.utils import exact_log2

from golden.chip.rules import VECTORS_MAX
from hw.chip.chip_spec import COUNT_BITS, ChipSpec, vectors_of
from hw.chip.unit import Unit
from hw.linear.output.output_stage import OutputStage
from hw.stream.component import In, InStream, Out
from hw.stream.share import looked_at
from hw.vector.vector_spec import VectorWrite


class OutputWriter(Unit):
    """Write the outputs of a LINEAR step.

    Timing
    ------
    Latency : outputs are written in the cycle in which they come.
    Rate : one beat of outputs per cycle, but for ``hold``.
    Through paths : ``i`` to ``write``, ``hold`` to ``i.ready`` and ``write``; combinational.
    Reset : drops the step.
    """

    i = InStream(lambda c: c.beat)
    """As from :class:`hw.linear.output.output_stage.OutputStage`."""
    hold = In(1)
    """Whether the vector memory's write side is in use."""
    write = Out(lambda c: VectorWrite(c.spec.vectors))
    """Side of the vector memory."""

    def __init__(self, spec: ChipSpec) -> None:
        self.beat = looked_at(OutputStage(spec.engine)).beat
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        spec, step = self.spec, self.step
        lanes = spec.engine.scale_lanes
        groups = spec.engine.inputs_per_beat // lanes  # of outputs in a word
        left = Signal(COUNT_BITS)
        word, group = Signal(spec.vectors.address_bits), Signal(range(max(groups, 2)))
        taken, used = Signal(), Signal(lanes)
        more, last = Signal(range(VECTORS_MAX)), self.i.payload.last  # vectors behind this one
        busy = self.run(m, taken & last & (more == 0))
        m.d.comb += [
            self.i.ready.eq(busy & ~self.hold),
            taken.eq(self.i.valid & self.i.ready),
            used.eq(Mux(left >= lanes, ~0, (1 << left[: exact_log2(lanes) + 1]) - 1)),
            self.write.data.eq(self.i.payload.lanes.as_value().replicate(groups)),
        ]
        with m.If(taken):
            m.d.comb += [
                self.write.en.eq(used << (group * lanes)),
                self.write.address.eq(word),
            ]
            end = last | (group == groups - 1)
            m.d.sync += [
                left.eq(Mux(last, step.outputs, left - lanes)),
                group.eq(Mux(end, 0, group + 1)),
                word.eq(word + end),
                more.eq(more - last),
            ]
        with m.If(self.start):
            m.d.sync += [left.eq(step.outputs), word.eq(step.d), group.eq(0)]
            m.d.sync += more.eq((1 << vectors_of(step)) - 1)
