"""AXI writer: a stream of words into memory."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, wiring

from hw.bus.axi import AxiSpec, AxiWrite, ask
from hw.bus.bursts import Bursts, request
from hw.stream.component import In, InStream, Out, Sized


class AxiWriter(Sized[AxiSpec]):
    """Write memory through AXI4: bursts as :func:`golden.exact.bursts.bursts` has them, in order.

    Words pass from ``word_i`` to the bus without a register, as in
    :class:`hw.bus.axi_reader.AxiReader`. A burst's words are offered as soon as its address is, for
    memory may take either first; addresses are up to one burst ahead.

    Timing
    ------
    Latency : ``LATENCY`` cycle from a transfer on ``request_i`` to ``m_axi.awvalid``, one more to
        ``m_axi.wvalid``. ``error`` follows its answer by one cycle.
    Rate : one word per cycle, across bursts and requests too; a burst of one word, two cycles.
    Through paths : ``word_i.valid`` to ``m_axi.wvalid``, ``word_i.payload`` to ``m_axi.wdata`` and
        ``m_axi.wstrb``, ``m_axi.wready`` to ``word_i.ready``; ``m_axi.awready`` and ``stop`` to
        ``request_i.ready``; ``stop`` to ``m_axi.awvalid``; combinational.
    Reset : forgets all requests and what is under way; memory must be reset in the same cycle.
    """

    LATENCY = 1

    request_i = InStream(lambda c: request(c.spec))
    """Requests."""
    word_i = InStream(
        lambda c: data.StructLayout({"data": c.spec.data_bits, "strobe": c.spec.word_bytes})
    )
    """Words in the order of the requests; bit n of ``strobe`` says that byte n is written."""
    m_axi = Out(lambda c: AxiWrite(c.spec))
    """The memory."""
    stop = In(1)
    """Until ``idle``: asks for nothing more, and ends what is under way with words of which no
    byte is written. A word that waits in the first cycle is still written.
    """
    clear = In(1)
    """Strobe: forgets the error."""
    error = Out(1)
    """Whether a burst was answered with SLVERR or DECERR; the others go on all the same."""
    idle = Out(1)
    """Whether no request is under way: all that was written is answered for."""

    def build(self, m: Module) -> None:  # noqa: D102
        bus, spec = self.m_axi, self.spec
        under_way = Signal(range(spec.outstanding + 1))
        room, begun = Signal(init=1), Signal.like(under_way)  # as before what ended since
        bursts = self.put(m, "bursts", Bursts(spec), room=room, stop=self.stop)
        wiring.connect(m, bursts.i, wiring.flipped(self.request_i))
        burst = bursts.o.payload
        # A burst goes two ways, each in its time: its address to the bus, its length to the words.
        asked, counted = Signal(), Signal()  # the one is done, the other
        free, passes = Signal(), Signal()
        m.d.comb += ask(bus, "aw", spec, burst.word, burst.beats_less_1)
        m.d.comb += [
            bus.awvalid.eq(bursts.o.valid & ~asked),
            bursts.o.ready.eq((asked | bus.awready) & counted),
            passes.eq(bursts.o.valid & bursts.o.ready),
            bus.bready.eq(1),
            begun.eq(under_way + passes),
            self.idle.eq(~bursts.busy & (under_way == 0)),
        ]
        m.d.sync += [
            asked.eq(bursts.o.valid & (asked | bus.awready) & ~passes),
            counted.eq(bursts.o.valid & (counted | free) & ~passes),
            room.eq(begun != spec.outstanding),
            under_way.eq(begun - bus.bvalid),
            self.error.eq((self.error & ~self.clear) | (bus.bvalid & bus.bresp[1])),
        ]
        begins = bursts.o.valid & ~counted & free
        self._words(m, begins, burst.beats_less_1, free)

    def _words(self, m: Module, begins: Value, beats_less_1: Value, free: Signal) -> None:
        """Let the words of one burst after the other pass; say when the next may begin."""
        bus, word = self.m_axi, self.word_i
        active, made_up, taken, final = Signal(), Signal(), Signal(), Signal()
        left = Signal.like(beats_less_1)
        m.d.comb += [
            bus.wvalid.eq(active & (word.valid | made_up)),
            bus.wdata.eq(word.payload.data),
            bus.wstrb.eq(Mux(made_up, 0, word.payload.strobe)),
            bus.wlast.eq(final),
            taken.eq(bus.wvalid & bus.wready),
            word.ready.eq(active & bus.wready & ~made_up),
            free.eq(~active | (taken & bus.wlast)),
        ]
        with m.If(~bus.wvalid | bus.wready):  # what the bus has been offered must stay
            m.d.sync += made_up.eq(self.stop)
        with m.If(taken):
            m.d.sync += [left.eq(left - 1), final.eq(left == 1)]
        with m.If(free):
            m.d.sync += [
                active.eq(begins),
                left.eq(beats_less_1),
                final.eq(beats_less_1 == 0),
            ]
