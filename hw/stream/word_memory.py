"""Word memory: what every memory of the designs is, so that a macro can take the place of any."""

from amaranth.hdl import Module
from amaranth.lib import data
from amaranth.lib.memory import Memory

from hw.stream.component import Component, In, Out

MACRO_BITS = 256  # what holds no more is flip-flops in any technology
MODULE = "kllm_memory_"  # what the names of all modules of memories begin with


class WordMemory(Component):
    """Hold words; in a cycle one is read, and parts of one are written.

    In Verilog all memories of one size are one module, whose name says the size: a macro of that
    name, or what holds one, can be put in its place. Nothing depends on what a memory holds
    before it is written, unless ``init`` is given; such a memory is for FPGAs and has no name.

    Parameters
    ----------
    bits : int
        Of a word.
    words : int
    parts : int
        Parts of a word, equal ones, that are written alone.
    init : tuple of int
        The first words, as they are after configuration; others are 0.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``read_en`` to ``read_data``; what is written in the same
        cycle is not read yet.
    Rate : one word read and one written per cycle.
    Through paths : none.
    Reset : the words stay.
    """

    LATENCY = 1

    write_en = In(lambda c: c.parts)
    """Strobes: write these parts of ``write_data``, the lowest first."""
    write_address = In(lambda c: range(max(c.words, 2)))
    """Word to write."""
    write_data = In(lambda c: c.bits)
    """What it is to hold."""
    read_en = In(1)
    """Strobe: reads ``read_address``."""
    read_address = In(lambda c: range(max(c.words, 2)))
    """Word to read."""
    read_data = Out(lambda c: c.bits)
    """What it holds, until another is read."""

    def __init__(self, bits: int, words: int, parts: int = 1, init: tuple[int, ...] = ()) -> None:
        if bits % parts:
            raise ValueError(f"{parts} equal parts do not make {bits} bits")
        self.bits, self.words, self.parts, self.init = bits, words, parts, init
        super().__init__()

    @property
    def module_name(self) -> str | None:
        """The name of its module, in all designs; None if no macro can be it."""
        if self.init or self.bits * self.words <= MACRO_BITS:
            return None
        return f"{MODULE}{self.bits}x{self.words}" + f"_w{self.parts}" * (self.parts > 1)

    def put_in(self, holder: Component, m: Module, name: str) -> "WordMemory":
        """Put it among the parts of a component; one that is no macro becomes part of that."""
        if self.module_name:
            return holder.put(m, name, self)
        m.submodules[name] = self
        return self

    def build(self, m: Module) -> None:  # noqa: D102
        word = data.ArrayLayout(self.bits // self.parts, self.parts)
        init = [word.from_bits(each) for each in self.init]
        m.submodules.words = memory = Memory(shape=word, depth=self.words, init=init)
        write, read = memory.write_port(granularity=1), memory.read_port()
        m.d.comb += [
            write.en.eq(self.write_en),
            write.addr.eq(self.write_address),
            write.data.eq(self.write_data),
            read.en.eq(self.read_en),
            read.addr.eq(self.read_address),
            self.read_data.eq(read.data),
        ]
