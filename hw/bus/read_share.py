"""Read share: one AXI reader for several that want words of memory."""

from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring

from hw.bus.axi import AxiRead, AxiSpec
from hw.bus.axi_reader import AxiReader, word
from hw.bus.bursts import request
from hw.stream.component import Component, In, Out


class ReadShare(Component):
    """Let several take turns, request by request, at one :class:`hw.bus.axi_reader.AxiReader`.

    That has the bursts, the counters and the number of transactions once, which an arbiter of
    several readers on one port has for each; answers come in order either way. Who asks for much
    at once keeps the others waiting.

    Parameters
    ----------
    spec : AxiSpec
        The bus.
    ways : int
        How many share it, two at least.

    Timing
    ------
    Latency : ``LATENCY`` cycles from ``i.valid`` to ``m_axi.arvalid``; 0 from ``m_axi.rvalid`` to
        ``o.valid``.
    Rate : one request in two cycles; bursts and words as the reader.
    Through paths : those of the reader.
    Reset : as the reader; the first way is the first to ask.
    """

    LATENCY = AxiReader.LATENCY + 2

    i = In(lambda c: stream.Signature(request(c.spec))).array(lambda c: c.ways)
    """Requests."""
    o = Out(lambda c: stream.Signature(word(c.spec))).array(lambda c: c.ways)
    """The words that the way of the same number asked for. While ``stop`` is high there are none,
    even where one waited.
    """
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

    def __init__(self, spec: AxiSpec, ways: int) -> None:
        if ways < 2:
            raise ValueError(f"two at least share a reader, got {ways}")
        self.spec, self.ways = spec, ways
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        inputs = {"stop": self.stop, "clear": self.clear}
        reader = self.put(m, "reader", AxiReader(self.spec), **inputs)
        wiring.connect(m, reader.m_axi, wiring.flipped(self.m_axi))
        m.d.comb += [self.error.eq(reader.error), self.idle.eq(reader.idle)]

        # Requests under way: one waits, one in the reader has bursts to come.
        most = self.spec.outstanding + 2
        under_way = Signal(range(most + 1))
        owners = [Signal(range(self.ways), name=f"owner{n}") for n in range(most)]  # latest first
        way, owner = Signal(range(self.ways)), Signal(range(self.ways))
        asks = Signal()
        self._take_turns(m, way, asks, reader.i)
        with m.Switch(under_way):
            for n, one in enumerate(owners, 1):
                with m.Case(n):
                    m.d.comb += owner.eq(one)
        for n, o in enumerate(self.o):
            m.d.comb += [o.valid.eq(reader.o.valid & (owner == n)), o.payload.eq(reader.o.payload)]
        m.d.comb += reader.o.ready.eq(Cat(o.ready for o in self.o).bit_select(owner, 1))

        ends = reader.o.valid & reader.o.ready & reader.o.payload.last
        begun = Signal.like(under_way)
        m.d.comb += begun.eq(under_way + asks)
        # That one ends is known last, so it only chooses.
        m.d.sync += under_way.eq(Mux(self.stop, 0, Mux(ends, begun - 1, begun)))
        with m.If(asks):
            m.d.sync += [a.eq(b) for a, b in zip(owners, [way, *owners], strict=False)]

    def _take_turns(self, m: Module, way: Signal, asks: Signal, request: Any) -> None:
        """Let the next way that asks, after the latest, do so; then look for one again."""
        offers, held = Signal(), Signal()
        # One bit for each way: it chooses among all bits of as many requests.
        chosen = Signal(self.ways, init=1 << (self.ways - 1))
        valids = Cat(i.valid for i in self.i)
        m.d.comb += asks.eq(offers & ~held & ~self.stop)
        with m.If(~offers):
            m.d.sync += offers.eq(valids.any() & ~self.stop)
            for n in range(self.ways):
                with m.If(chosen[n]):
                    for later in range(self.ways - 1, 0, -1):
                        other = (n + later) % self.ways
                        with m.If(valids[other]):
                            m.d.sync += chosen.eq(1 << other)
        with m.Elif(self.stop | asks):
            m.d.sync += offers.eq(0)
        payloads = []
        for n, i in enumerate(self.i):
            m.d.comb += i.ready.eq(asks & chosen[n])
            with m.If(chosen[n]):
                m.d.comb += way.eq(n)
            payload = i.payload.as_value()
            payloads.append(payload & chosen[n].replicate(len(payload)))
        # The reader has it from a register: choosing takes as long as splitting it in bursts.
        m.d.comb += request.valid.eq(held)
        with m.If(asks):
            m.d.sync += [held.eq(1), request.payload.eq(reduce(or_, payloads))]
        with m.Elif(request.ready | self.stop):
            m.d.sync += held.eq(0)
