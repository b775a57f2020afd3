"""Feeder: vectors of the vector memory into the engine."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.utils import exact_log2

from golden.chip.rules import VECTORS_MAX
from hw.chip.chip_spec import COUNT_BITS, vectors_of, words_of
from hw.chip.unit import Unit
from hw.stream.component import Out, OutStream
from hw.vector.vector_spec import VectorRead


class Feeder(Unit):
    """Send the numbers of a LINEAR step, a word of the vector memory a beat.

    Timing
    ------
    Latency : 2 cycles from ``start`` to the first ``o.valid``.
    Rate : one word per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``read``; combinational.
    Reset : drops the step.
    """

    read = Out(lambda c: VectorRead(c.spec.vectors))
    """Side of the vector memory."""
    o = OutStream(lambda c: c.spec.vector_bits)
    """Words."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec, step = self.spec, self.step
        most = VECTORS_MAX << COUNT_BITS - exact_log2(spec.engine.inputs_per_beat)
        left = Signal(range(most + 1))
        word = Signal(spec.vectors.address_bits)
        valid, fetch = Signal(), Signal()
        busy = self.run(m, (left == 0) & ~valid)
        m.d.comb += [
            fetch.eq(busy & (left != 0) & (~valid | self.o.ready)),
            self.read.en.eq(fetch),
            self.read.address.eq(Mux(fetch, word, 0)),
            self.o.valid.eq(valid),
            self.o.payload.eq(self.read.data),
        ]
        m.d.sync += valid.eq(fetch | (valid & ~self.o.ready))
        with m.If(self.start):
            count = words_of(step.count, spec.engine.inputs_per_beat)
            m.d.sync += [left.eq(count << vectors_of(step)), word.eq(step.a)]
        with m.Elif(fetch):
            m.d.sync += [left.eq(left - 1), word.eq(word + 1)]
