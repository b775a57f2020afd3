"""Vector memory: FP16 numbers between one operation and the next."""

from amaranth.hdl import Module

from hw.chip.chip_spec import ChipSpec
from hw.stream.component import In, Sized
from hw.stream.word_memory import WordMemory
from hw.vector.vector_spec import VectorRead, VectorWrite


class VectorMemory(Sized[ChipSpec]):
    """Hold words of FP16 numbers; each number of a word can be written alone.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``read.en`` to ``read.data``; what is written in the same
        cycle is not read yet.
    Rate : one word read and one written per cycle.
    Through paths : none.
    Reset : the numbers stay.
    """

    LATENCY = 1

    read = In(lambda c: VectorRead(c.spec.vectors))
    """Reads a word."""
    write = In(lambda c: VectorWrite(c.spec.vectors))
    """Writes numbers of a word."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec.vectors
        words = WordMemory(spec.word.size, spec.words, spec.word.length).put_in(self, m, "words")
        m.d.comb += [
            words.write_en.eq(self.write.en),
            words.write_address.eq(self.write.address),
            words.write_data.eq(self.write.data),
            words.read_en.eq(self.read.en),
            words.read_address.eq(self.read.address),
            self.read.data.eq(words.read_data),
        ]
