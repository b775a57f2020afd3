"""Instruction fetch: the program's instructions, ahead of what is carried out."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import data
from amaranth.utils import exact_log2

from golden.chip.instruction import BYTES, Op
from hw.bus.axi_reader import word
from hw.chip.address import Address
from hw.chip.chip_spec import ADDRESS_BITS, INSTRUCTION, REQUEST, ChipSpec
from hw.stream.component import In, InStream, Out, OutStream, Sized
from hw.stream.queue import Queue


class InstructionFetch(Sized[ChipSpec]):
    """Fetch a program in its order, an instruction at a time, and stop behind each NEXT.

    Timing
    ------
    Latency : 1 cycle from ``start`` to ``request_o.valid``; 2 from an instruction's last word to
        ``o.valid``.
    Rate : one instruction in as many cycles as memory takes and one more, while fewer than
        ``DEPTH`` wait.
    Through paths : none.
    Reset : drops all; no word that was asked for may come any more.
    """

    DEPTH = 4

    program = In(ADDRESS_BITS)
    """Where the program is."""
    start = In(1)
    """Strobe: begin there. Only while nothing was fetched that is not taken."""
    resume = In(1)
    """Strobe: go on behind the NEXT that was the last."""
    request_o = OutStream(REQUEST)
    """``words`` of the bus from ``address`` on."""
    i = InStream(lambda c: word(c.spec.axi))
    """Those words."""
    error = In(1)
    """Whether memory answered the word at hand with an error."""
    o = OutStream(INSTRUCTION)
    """The instructions."""
    broken = Out(1)
    """Whether the instruction at hand came with an error: none is behind it."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        fetched = data.StructLayout({"instruction": INSTRUCTION, "error": 1})
        queue = self.put(m, "queue", Queue(fetched, self.DEPTH))
        pc = Address(m, "pc")
        going, asked, came = Signal(), Signal(), Signal()
        bits, bus = exact_log2(BYTES), exact_log2(spec.bus_bytes)
        part = self.i.payload.data
        begun = Signal(max(8 * BYTES - spec.bus_bits, 0))  # of an instruction in several words
        place = Signal(max(bus - bits, 0))  # of the one that was asked for, in its word
        if bits < bus:
            part = part.word_select(place, 8 * BYTES)
        bad, before = Signal(), Signal()  # a word of the instruction, one of those before
        m.d.comb += [
            self.request_o.valid.eq(going & ~asked & queue.i.ready),
            self.request_o.payload.address.eq(Cat(Const(0, bus), pc.value[bus:])),
            self.request_o.payload.words.eq(max(1, BYTES // spec.bus_bytes)),
            self.i.ready.eq(1),
            came.eq(self.i.valid & self.i.payload.last),
            queue.i.valid.eq(came),
            queue.i.payload.eq(Cat(begun, part, bad)),
            bad.eq(self.error | before),
            self.o.valid.eq(queue.o.valid),
            self.o.payload.eq(queue.o.payload.instruction),
            self.broken.eq(queue.o.valid & queue.o.payload.error),
            queue.o.ready.eq(self.o.ready),
        ]
        with m.If(self.i.valid):
            m.d.sync += before.eq(bad & ~self.i.payload.last)
        with m.If(self.i.valid & ~self.i.payload.last):
            m.d.sync += begun.eq(Cat(begun, part)[spec.bus_bits :])
        with m.If(self.request_o.valid & self.request_o.ready):
            m.d.sync += [asked.eq(1), *pc.grow(BYTES)]
            m.d.sync += place.eq(pc.value[bits : max(bits, bus)])
        with m.If(came):
            m.d.sync += [asked.eq(0), going.eq(~bad & (queue.i.payload.instruction.op != Op.NEXT))]
        with m.If(self.start):
            m.d.sync += [going.eq(1), *pc.put(self.program)]
        with m.If(self.resume):
            m.d.sync += going.eq(1)
