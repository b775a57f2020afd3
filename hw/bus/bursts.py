"""Bursts: one address channel's work, from a request for many words to bursts of a few."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.arith.columns import sum_of_parts
from hw.bus.axi import AxiSpec
from hw.stream.component import In, InStream, Out, OutStream, Sized

WORDS_MAX = 1 << 20  # of a request
SECTION = 12  # bits through which a carry goes


def request(spec: AxiSpec) -> data.StructLayout:
    """Return what is asked for: ``words``, at least one, from an ``address`` in bytes on.

    The address is that of a whole word: its lowest bits are not looked at.
    """
    return data.StructLayout({"address": spec.address_bits, "words": range(WORDS_MAX + 1)})


class Bursts(Sized[AxiSpec]):
    """Split requests as :func:`golden.exact.bursts.bursts` does.

    A burst ends where its words fill a block, at a multiple of ``spec.block`` words. So none
    crosses a page, and only a request's first and last are shorter.

    Timing
    ------
    Latency : ``LATENCY`` cycle from a transfer on ``i`` to ``o.valid`` while there is room.
    Rate : one burst per cycle, across requests too.
    Through paths : ``o.ready`` to ``i.ready``; ``room`` and ``stop`` to ``o.valid``; ``stop`` to
        ``i.ready``; combinational.
    Reset : drops what is left of the request.
    """

    LATENCY = 1

    i = InStream(lambda c: request(c.spec))
    """Requests."""
    o = OutStream(lambda c: c.burst)
    """Bursts: the number of the first ``word`` in memory, beats less 1, whether it is the ``last``
    of its request.
    """
    room = In(1)
    """Whether one more burst may be under way. A burst that is offered once stays so."""
    stop = In(1)
    """Nothing more is asked for: drops what is left of the request, but for a burst that is
    offered, and takes no other.
    """
    busy = Out(1)
    """Whether there are bursts to come."""

    def __init__(self, spec: AxiSpec) -> None:
        bits = exact_log2(spec.block)
        word_bits = spec.address_bits - spec.size
        self.burst = data.StructLayout({"word": word_bits, "beats_less_1": bits, "last": 1})
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        bits = exact_log2(self.spec.block)
        word = Signal.like(self.o.payload.word)
        end = Signal(range(self.spec.block + WORDS_MAX))  # counted from the block of `word`
        blocks, final = end[bits:], end[:bits]
        last, waited, fire = Signal(), Signal(), Signal()
        m.d.comb += [
            last.eq((blocks == 0) | ((blocks == 1) & (final == 0))),
            # Without a carry ~x is -x - 1. A block's end is 0 in as many bits.
            self.o.payload.beats_less_1.eq(Mux(last, final, 0) + ~word[:bits]),
            self.o.payload.word.eq(word),
            self.o.payload.last.eq(last),
            self.o.valid.eq(self.busy & (waited | (self.room & ~self.stop))),
            fire.eq(self.o.valid & self.o.ready),
            self.i.ready.eq(~self.stop & (~self.busy | (fire & last))),
        ]
        m.d.sync += waited.eq(self.o.valid & ~self.o.ready)
        # Numbers change a little more often than they must, so that they do not wait for `stop` and
        # `i.valid`: where those say no, they are not looked at again.
        moves, cuts = Signal(), sorted({max(bits // 2, 1), bits, bits + 4})
        m.d.comb += moves.eq(self.busy & (waited | self.room) & self.o.ready)
        with m.If(moves):
            m.d.sync += [word.eq(_next(word[bits:]) << bits), blocks.eq(blocks - 1)]
        with m.If(~self.busy | (moves & last)):
            first = self.i.payload.address[self.spec.size :]
            m.d.sync += [
                word.eq(first),
                end.eq(sum_of_parts(m, first[:bits], self.i.payload.words, "end", *cuts)),
            ]
        with m.If((fire & last) | (self.stop & (fire | ~self.o.valid))):
            m.d.sync += self.busy.eq(0)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += self.busy.eq(1)


def _next(number: Value) -> Value:
    """Return a number plus 1, in sections that find out at once whether those below are full."""
    starts = range(0, len(number), SECTION)
    sections = [number[start : start + SECTION] for start in starts]
    carries = [number[:start].all() for start in starts]  # of no bits, all are set
    pairs = zip(sections, carries, strict=True)
    return Cat(*((bits + carry)[: len(bits)] for bits, carry in pairs))
