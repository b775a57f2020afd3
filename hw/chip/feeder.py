"""Feeder: vectors of the vector memory into the engine."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.utils import exact_log2

from golden.chip.rules import VECTORS_MAX
from hw.chip.chip_spec import COUNT_BITS, pitch_of, vectors_of, words_of
from hw.chip.unit import Unit
from hw.stream.component import Out, OutStream
from hw.vector.vector_spec import VectorRead


class Feeder(Unit):
    """Send the vectors of a LINEAR step, a word of the vector memory a beat.

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
        words = Signal(COUNT_BITS - exact_log2(spec.engine.inputs_per_beat) + 1)  # of a vector
        left, vectors = Signal.like(words), Signal(range(VECTORS_MAX + 1))
        ends = Signal()  # whether one word is left of the vector
        word, first = (Signal(spec.vectors.address_bits, name=n) for n in ("word", "first"))
        valid, fetch = Signal(), Signal()
        busy = self.run(m, (vectors == 0) & ~valid)
        m.d.comb += [
            words.eq(words_of(step.count, spec.engine.inputs_per_beat)),
            fetch.eq(busy & (vectors != 0) & (~valid | self.o.ready)),
            self.read.en.eq(fetch),
            self.read.address.eq(Mux(fetch, word, 0)),
            self.o.valid.eq(valid),
            self.o.payload.eq(self.read.data),
        ]
        m.d.sync += valid.eq(fetch | (valid & ~self.o.ready))
        with m.If(self.start):
            m.d.sync += [vectors.eq(1 << vectors_of(step)), left.eq(words), ends.eq(words == 1)]
            m.d.sync += [word.eq(step.a), first.eq(step.a)]
        with m.Elif(fetch):
            m.d.sync += [left.eq(left - 1), word.eq(word + 1), ends.eq(left == 2)]
            with m.If(ends):
                following = first + pitch_of(step, "a")
                m.d.sync += [vectors.eq(vectors - 1), left.eq(words), ends.eq(words == 1)]
                m.d.sync += [word.eq(following), first.eq(following)]
