"""Vector memory: FP16 numbers between one operation and the next."""

from amaranth.hdl import Module
from amaranth.lib.memory import Memory

from hw.chip.chip_spec import ChipSpec
from hw.stream.component import In, Sized
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
        m.submodules.words = words = Memory(shape=spec.word, depth=spec.words, init=[])
        write, read = words.write_port(granularity=1), words.read_port()
        m.d.comb += [
            write.en.eq(self.write.en),
            write.addr.eq(self.write.address),
            write.data.eq(self.write.data),
            read.en.eq(self.read.en),
            read.addr.eq(self.read.address),
            self.read.data.eq(read.data),
        ]
