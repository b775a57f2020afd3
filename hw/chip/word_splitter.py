"""Word splitter: words of the bus, cut into the smaller things that stand in them."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.chip.chip_spec import FP16_BITS, ChipSpec
from hw.stream.component import In, InStream, OutStream, Sized

SIZE_BITS = 4  # of a number that says how large parts are


class WordSplitter(Sized[ChipSpec]):
    """Hand out parts of words, the lowest first: 16 bits, 32, and so on up to whole words.

    The word is not kept here: it is taken with its last part. Each size halves what the one
    above chose, so that all of them together take a multiplexer for each bit of a word.

    Timing
    ------
    Latency : 0 cycles from ``i.valid`` to ``o.valid``.
    Rate : one part per cycle.
    Through paths : ``i.valid`` to ``o.valid``, ``i.payload`` to ``o.payload``, ``o.ready`` to
        ``i.ready``; ``size`` and ``done`` to ``i.ready``; combinational.
    Reset : the next part is the first of a word.
    """

    size = In(SIZE_BITS)
    """Parts have ``16 * 2**size`` bits. Steady from a request's first part to its last."""
    done = In(1)
    """Whether the part at hand is the last that is wanted: what follows it, up to the last word
    of the request, is dropped.
    """
    i = InStream(lambda c: c.spec.word)
    """Words."""
    o = OutStream(lambda c: c.parts)
    """The part at hand, in the field of its size: ``part16``, ``part32`` and so on."""

    def __init__(self, spec: ChipSpec) -> None:
        self.levels = exact_log2(spec.bus_bits // FP16_BITS) + 1
        self.parts = data.StructLayout(
            {f"part{FP16_BITS << n}": FP16_BITS << n for n in range(self.levels)}
        )
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        at = Signal(max(self.levels - 1, 1))  # in units of 16 bits
        drop = Signal()
        part = self.i.payload.data
        for level in reversed(range(self.levels)):
            bits = FP16_BITS << level
            if level < self.levels - 1:
                part = Mux(at[level], part[bits:], part[:bits])
            m.d.comb += self.o.payload[f"part{bits}"].eq(part)
        step, end, taken = Signal(self.levels), Signal(), Signal()
        following = Signal(self.levels)
        m.d.comb += [
            step.eq(1 << self.size),
            following.eq(at + step),
            end.eq(following[self.levels - 1]),
            self.o.valid.eq(self.i.valid & ~drop),
            taken.eq(self.o.valid & self.o.ready),
            self.i.ready.eq(drop | (self.o.ready & (end | self.done))),
        ]
        with m.If(taken):
            m.d.sync += at.eq(Mux(self.done, 0, following))
            m.d.sync += drop.eq(self.done & ~self.i.payload.last)
        with m.Elif(self.i.valid & drop):
            m.d.sync += drop.eq(~self.i.payload.last)
