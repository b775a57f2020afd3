"""Loader: numbers from the memory outside into the vector memory."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.utils import exact_log2

from hw.chip.chip_spec import COUNT_BITS, FP16_BITS, words_of
from hw.chip.unit import Reader
from hw.stream.component import In, Out
from hw.vector.vector_spec import VectorWrite


class Loader(Reader):
    """Carry out LOAD, as :meth:`golden.chip.machine.Machine.load` says.

    The address is that of a whole word of the bus.

    Timing
    ------
    Latency : a part is written in the cycle in which it comes.
    Rate : a word of the vector memory per cycle, but for ``hold``.
    Through paths : ``i`` to ``write``, ``hold`` to ``i.ready`` and ``write``; combinational.
    Reset : drops the step.
    """

    hold = In(1)
    """Whether the vector memory's write side is in use."""
    write = Out(lambda c: VectorWrite(c.spec.vectors))
    """Side of the vector memory."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec, step = self.spec, self.step
        lanes = spec.engine.inputs_per_beat
        left = Signal(COUNT_BITS)
        address = Signal(spec.vectors.address_bits)
        last, taken = Signal(), Signal()
        busy = self.run(m, taken & last)
        self.ask(m, self.ahead.address, words_of(self.ahead.count, spec.bus_bits // FP16_BITS))
        full = Signal()
        m.d.comb += [
            full.eq(left >= lanes),
            last.eq(left <= lanes),
            self.size.eq(exact_log2(lanes)),
            self.i.ready.eq(busy & ~self.hold),
            self.done.eq(last),
            taken.eq(self.i.valid & self.i.ready),
            self.write.data.eq(self.i.payload[f"part{spec.vector_bits}"]),
        ]
        with m.If(taken):
            m.d.comb += [
                self.write.address.eq(address),
                self.write.en.eq(Mux(full, ~0, (1 << left[: exact_log2(lanes)]) - 1)),
            ]
            m.d.sync += [left.eq(left - lanes), address.eq(address + 1)]
        with m.If(self.start):
            m.d.sync += [left.eq(step.count), address.eq(step.d)]
