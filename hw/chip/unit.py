"""What the chip's units have in common: they carry out one step after another."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data

from hw.chip.chip_spec import REQUEST, STEP, ChipSpec
from hw.chip.word_splitter import WordSplitter
from hw.stream.component import In, InStream, Out, OutStream, Sized
from hw.stream.share import looked_at


class Unit(Sized[ChipSpec]):
    """Carries out a step: from a strobe until it is not busy any more."""

    step = In(STEP)
    """The instruction; steady from ``start`` until ``busy`` is low again."""
    start = In(1)
    """Strobe: begin. Only while nothing is busy."""
    busy = Out(1)
    """Whether the step is under way; from the cycle after ``start`` on."""

    def run(self, m: Module, done: Value) -> Signal:
        """Return whether the step is under way; ``done`` ends it."""
        busy = Signal(name="under_way")
        m.d.comb += self.busy.eq(busy)
        m.d.sync += busy.eq(self.start | (busy & ~done))
        return busy


class Reader(Unit):
    """A unit that reads the memory outside: it asks for a step's words before the step begins."""

    ahead = In(STEP)
    """The instruction that begins next; steady from ``asks`` until it does."""
    asks = In(1)
    """Strobe: ask for what ``ahead`` reads, or reads first. Only while nothing is asked for; its
    step begins when that is taken, and nothing else is asked in between.
    """
    request_o = OutStream(REQUEST)
    """``words`` of the bus from ``address`` on."""
    i = InStream(lambda c: c.parts)
    """Their parts, as from :class:`hw.chip.word_splitter.WordSplitter`."""
    size = Out(3)
    """How large parts are to be."""
    done = Out(1)
    """Whether the part at hand is the last that is wanted."""

    def __init__(self, spec: ChipSpec) -> None:
        splitter = looked_at(WordSplitter(spec))
        self.parts: data.StructLayout = splitter.parts
        self.levels: int = splitter.levels
        super().__init__(spec)

    def ask(self, m: Module, address: Value, words: Value) -> None:
        """Ask once a step."""
        m.d.comb += [
            self.request_o.payload.address.eq(address),
            self.request_o.payload.words.eq(words),
        ]
        with m.If(self.asks):
            m.d.sync += self.request_o.valid.eq(1)
        with m.Elif(self.request_o.ready):
            m.d.sync += self.request_o.valid.eq(0)
