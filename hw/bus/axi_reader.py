"""AXI reader: words of memory as a stream."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring

from hw.bus.axi import AxiRead, AxiSpec, ask
from hw.bus.bursts import Bursts, request
from hw.stream.component import In, InStream, Out, OutStream, Sized


def word(spec: AxiSpec) -> data.StructLayout:
    """Return what memory gives: a word, and whether it is the ``last`` of its request."""
    return data.StructLayout({"data": spec.data_bits, "last": 1})


class AxiReader(Sized[AxiSpec]):
    """Read memory through AXI4: bursts as :func:`golden.exact.bursts.bursts` has them, in order.

    Words pass from the bus to ``o`` without a register: one of 1024 bits is larger than all else
    here, and most readers keep the word themselves. Where the bus is too late in the cycle put a
    :class:`hw.stream.stage.Stage` behind ``o``.

    Timing
    ------
    Latency : ``LATENCY`` cycle from a transfer on ``i`` to ``m_axi.arvalid``; 0 from
        ``m_axi.rvalid`` to ``o.valid``. ``error`` follows its word by one cycle.
    Rate : one word per cycle, one burst per cycle, across requests too.
    Through paths : ``m_axi.rvalid`` to ``o.valid``, ``m_axi.rdata`` to ``o.payload``, ``o.ready``
        to ``m_axi.rready``, ``m_axi.arready`` to ``i.ready``; ``stop`` to all four; combinational.
    Reset : forgets all requests and what is under way; memory must be reset in the same cycle.
    """

    LATENCY = 1

    i = InStream(lambda c: request(c.spec))
    """Requests."""
    o = OutStream(lambda c: word(c.spec))
    """The words asked for. While ``stop`` is high there are none, even where one waited."""
    m_axi = Out(lambda c: AxiRead(c.spec))
    """The memory."""
    stop = In(1)
    """Until ``idle``: asks for nothing more, and takes and drops what is under way."""
    clear = In(1)
    """Strobe: forgets the error."""
    error = Out(1)
    """Whether a word came with SLVERR or DECERR; it and the others come out all the same."""
    idle = Out(1)
    """Whether no request is under way."""

    def build(self, m: Module) -> None:  # noqa: D102
        bus, spec = self.m_axi, self.spec
        under_way = Signal(range(spec.outstanding + 1))
        lasts = Signal(spec.outstanding)  # of the bursts under way, the latest first
        room = Signal(init=1)  # as it was before what ended since
        bursts = self.put(m, "bursts", Bursts(spec), room=room, stop=self.stop)
        wiring.connect(m, bursts.i, wiring.flipped(self.i))
        burst = bursts.o.payload
        asked, taken = Signal(), Signal()
        m.d.comb += ask(bus, "ar", spec, burst.word, burst.beats_less_1)
        m.d.comb += [
            bus.arvalid.eq(bursts.o.valid),
            bursts.o.ready.eq(bus.arready),
            asked.eq(bus.arvalid & bus.arready),
            self.o.valid.eq(bus.rvalid & ~self.stop),
            self.o.payload.data.eq(bus.rdata),
            self.o.payload.last.eq(bus.rlast & Cat(0, lasts).bit_select(under_way, 1)),
            bus.rready.eq(self.o.ready | self.stop),
            taken.eq(bus.rvalid & bus.rready),
            self.idle.eq(~bursts.busy & (under_way == 0)),
        ]
        begun, kept = Signal.like(under_way), Signal()
        m.d.comb += [begun.eq(under_way + asked), kept.eq(self.error & ~self.clear)]
        m.d.sync += [
            # What is taken is known last, so it only chooses.
            room.eq(begun != spec.outstanding),
            under_way.eq(Mux(taken, begun - bus.rlast, begun)),
            self.error.eq(Mux(taken, kept | bus.rresp[1], kept)),
        ]
        with m.If(asked):
            m.d.sync += lasts.eq((lasts << 1) | burst.last)
