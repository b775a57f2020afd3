"""Output writer: the engine's outputs into the vector memory."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.utils import exact_log2

from golden.chip.rules import VECTORS_MAX
from hw.chip.chip_spec import COUNT_BITS, ChipSpec, pitch_of, vectors_of
from hw.chip.unit import Unit
from hw.linear.output.output_stage import OutputStage
from hw.stream.component import In, InStream, Out
from hw.stream.share import looked_at
from hw.vector.vector_spec import VectorWrite


class OutputWriter(Unit):
    """Write the outputs of a LINEAR step: those of a tile for each vector, then the next tile's.

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
        steps = spec.engine.output_lanes // lanes  # of outputs in a tile
        # Groups of outputs ahead of the one at hand, in its vector, and outputs that are left.
        group, left = Signal(range(max(spec.engine.outputs_max // lanes, 2))), Signal(COUNT_BITS)
        tile, tile_left = Signal.like(group), Signal.like(left)  # where the tile began
        first = Signal(spec.vectors.address_bits)  # word of the vector
        taken, used = Signal(), Signal(lanes)
        more = Signal(range(VECTORS_MAX))  # vectors behind this one
        last, end = self.i.payload.last, Signal()
        busy = self.run(m, taken & last & (more == 0))
        vectors = 1 << vectors_of(step)
        m.d.comb += [
            self.i.ready.eq(busy & ~self.hold),
            taken.eq(self.i.valid & self.i.ready),
            used.eq(Mux(left >= lanes, ~0, (1 << left[: exact_log2(lanes) + 1]) - 1)),
            end.eq(last | (group[: exact_log2(steps)].all() if steps > 1 else 1)),
            self.write.data.eq(self.i.payload.lanes.as_value().replicate(groups)),
            self.write.address.eq(Mux(taken, first + (group >> exact_log2(groups)), 0)),
        ]
        with m.If(taken):
            m.d.comb += self.write.en.eq(used << (group[: exact_log2(groups)] * lanes))
            m.d.sync += [left.eq(left - lanes), group.eq(group + 1)]
            with m.If(end & (more != 0)):
                m.d.sync += [group.eq(tile), left.eq(tile_left), more.eq(more - 1)]
                m.d.sync += first.eq(first + pitch_of(step, "d"))
            with m.Elif(end):
                m.d.sync += [tile.eq(group + 1), tile_left.eq(left - lanes)]
                m.d.sync += [first.eq(step.d), more.eq(vectors - 1)]
        with m.If(self.start):
            m.d.sync += [group.eq(0), tile.eq(0), first.eq(step.d), more.eq(vectors - 1)]
            m.d.sync += [left.eq(step.outputs), tile_left.eq(step.outputs)]
