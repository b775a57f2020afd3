"""AXI memory: words on chip behind AXI4, for what is small enough to need no other memory."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.utils import ceil_log2

from hw.bus.axi import DECERR, OKAY, Axi, AxiSpec
from hw.stream.component import Component, In
from hw.stream.word_memory import WordMemory


class AxiMemory(Component):
    """Answer reads and writes of AXI4 out of a memory of whole words.

    One burst of each kind is under way at a time; both may be at once. A burst whose first word is
    beyond the memory is answered with DECERR, and writes nothing; none may begin in the memory and
    end beyond it.

    Parameters
    ----------
    spec : AxiSpec
        The bus. All bursts are of whole words and INCR, as its managers make them.
    words : int
        Words of the memory, 2 at least.
    init : tuple of int
        The first ones, as they are after configuration; others are 0.

    Timing
    ------
    Latency : ``LATENCY`` cycles from a transfer on AR to ``rvalid``; one from the last on W to
        ``bvalid``.
    Rate : one word per cycle within a burst, read and written.
    Through paths : ``rready`` to the read enable within; ``wvalid`` to the write enable.
    Reset : ends what is under way; the words stay.
    """

    LATENCY = 2

    s_axi = In(lambda c: Axi(c.spec))
    """The manager."""

    def __init__(self, spec: AxiSpec, words: int, init: tuple[int, ...] = ()) -> None:
        if words < 2:
            raise ValueError(f"words is at least 2, got {words}")
        if len(init) > words:
            raise ValueError(f"init has {len(init)} words, the memory {words}")
        self.spec, self.words, self.init = spec, words, init
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        words = WordMemory(spec.data_bits, self.words, spec.word_bytes, self.init)
        words.put_in(self, m, "words")
        self._read(m, words)
        self._write(m, words)

    def _word(self, address: Value) -> tuple[Value, Value]:
        """Return the number of the word at an address, and whether there is none: then 0."""
        word = address[self.spec.size :]
        none = word >= self.words
        return Mux(none, 0, word[: ceil_log2(self.words)]), none

    def _read(self, m: Module, words: WordMemory) -> None:
        bus = self.s_axi
        busy, left, word = Signal(), Signal(8), Signal(range(self.words))
        beyond = Signal()
        fetch = Signal()
        m.d.comb += [
            bus.arready.eq(~busy),
            fetch.eq(busy & (~bus.rvalid | bus.rready)),
            words.read_en.eq(fetch),
            words.read_address.eq(word),
            bus.rdata.eq(words.read_data),
        ]
        with m.If(bus.arvalid & bus.arready):
            number, none = self._word(bus.araddr)
            m.d.sync += [busy.eq(1), left.eq(bus.arlen), word.eq(number), beyond.eq(none)]
            m.d.sync += bus.rid.eq(bus.arid)
        with m.If(fetch):
            m.d.sync += [
                bus.rvalid.eq(1),
                bus.rlast.eq(left == 0),
                bus.rresp.eq(Mux(beyond, DECERR, OKAY)),
                left.eq(left - 1),
                word.eq(word + 1),
                busy.eq(left != 0),
            ]
        with m.Elif(bus.rready):
            m.d.sync += bus.rvalid.eq(0)

    def _write(self, m: Module, words: WordMemory) -> None:
        bus = self.s_axi
        busy, word, beyond = Signal(), Signal(range(self.words)), Signal()
        m.d.comb += [
            bus.awready.eq(~busy & ~bus.bvalid),
            bus.wready.eq(busy),
            words.write_address.eq(word),
            words.write_data.eq(bus.wdata),
        ]
        with m.If(bus.awvalid & bus.awready):
            number, none = self._word(bus.awaddr)
            m.d.sync += [busy.eq(1), word.eq(number), beyond.eq(none), bus.bid.eq(bus.awid)]
        with m.If(bus.bready):
            m.d.sync += bus.bvalid.eq(0)
        with m.If(bus.wvalid & bus.wready):
            m.d.comb += words.write_en.eq(bus.wstrb & (~beyond).replicate(len(bus.wstrb)))
            m.d.sync += word.eq(word + 1)
            with m.If(bus.wlast):
                m.d.sync += [busy.eq(0), bus.bvalid.eq(1)]
                m.d.sync += bus.bresp.eq(Mux(beyond, DECERR, OKAY))
