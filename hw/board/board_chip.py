"""Board chip: a chip core with its memory on an FPGA, a button and a serial line."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import connect
from amaranth.utils import exact_log2

from golden.chip.shape import TOKEN_BYTES
from hw.board.uart_writer import UartWriter
from hw.bus.axi_memory import AxiMemory
from hw.chip.chip_core import ChipCore
from hw.chip.chip_spec import ChipSpec
from hw.chip.run import TOKEN_BITS, Fault
from hw.stream.component import Component, In, Out
from hw.stream.queue import Queue

DIGITS = TOKEN_BITS // 4
TAIL = b"\r\n"


class BoardChip(Component):
    """Run a program out of block RAM, and say each token that is chosen on a serial line.

    A line is a token of eight hexadecimal digits, the highest first, and ends with CR and LF. The
    run begins by itself after configuration, once; the button resets all but the memory, so that
    it begins again with the tokens that memory has then.

    Parameters
    ----------
    spec : ChipSpec
        The chip; its bus has one port.
    words : int
        Words of the memory.
    image : tuple of int
        The first ones: program, model and prompt.
    program, tokens : int
        Addresses of the program and of the tokens.
    known, limit : int
        Tokens of the prompt; the position before which the run ends.
    cycles : int
        Of a bit on the line.

    Timing
    ------
    Latency : a run begins 2 cycles after a reset.
    Rate : tokens wait for the line; up to ``limit`` find room.
    Through paths : ``button`` to none.
    Reset : as the button.
    """

    button = In(1)
    """High while it is pressed; may bounce, and change at any time."""
    tx = Out(1)
    """The serial line: 8 bits, no parity, one stop bit."""
    running = Out(1)
    """Whether a run is under way."""
    done = Out(1)
    """Whether it has ended."""
    fault = Out(Fault)
    """Of the run."""

    def __init__(
        self,
        spec: ChipSpec,
        *,
        words: int,
        image: tuple[int, ...],
        program: int,
        tokens: int,
        known: int,
        limit: int,
        cycles: int,
    ) -> None:
        if spec.ports != 1:
            raise ValueError(f"the chip's bus must have one port, it has {spec.ports}")
        self.spec, self.words, self.image = spec, words, image
        self.program, self.tokens, self.known, self.limit = program, tokens, known, limit
        self.cycles = cycles
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        # The button is no signal of this clock: two registers, and the second is a whole one's.
        pressed = Signal(2, reset_less=True)
        m.d.sync += pressed.eq(Cat(self.button, pressed))
        reset = pressed[1]
        core = self.put(m, "core", ChipCore(self.spec), reset=reset)
        memory = AxiMemory(self.spec.axi, self.words, self.image)
        memory = self.put(m, "memory", memory, reset=reset)
        connect(m, core.m_axi, memory.s_axi)
        begun = Signal(2)
        m.d.sync += begun.eq(Cat(Const(1, 1), begun))
        with m.If(core.finished):
            m.d.sync += self.done.eq(1)
        with m.If(reset):
            m.d.sync += [begun.eq(0), self.done.eq(0)]
        m.d.comb += [
            core.run.program.eq(self.program),
            core.run.known.eq(self.known),
            core.run.limit.eq(self.limit),
            core.run.start.eq(begun == 1),
            self.running.eq(core.running),
            self.fault.eq(core.fault),
        ]
        self._say(m, core, reset)

    def _say(self, m: Module, core: ChipCore, reset: Value) -> None:
        """Send tokens as they are written to memory."""
        bus, size = core.m_axi, self.spec.axi.word_bytes
        queue = self.put(m, "queue", Queue(TOKEN_BITS, max(self.limit, 2)), reset=reset)
        line = self.put(m, "line", UartWriter(self.cycles), reset=reset)
        # The token that is chosen for the next position stands in this word, here.
        place = Signal(range(self.tokens + TOKEN_BYTES * (self.limit + 1)))
        written = Signal.like(bus.awaddr)
        m.d.comb += place.eq(self.tokens + ((core.position + 1) << exact_log2(TOKEN_BYTES)))
        with m.If(bus.awvalid & bus.awready):
            m.d.sync += written.eq(bus.awaddr)
        low = exact_log2(size)
        inner = place[exact_log2(TOKEN_BYTES) : low]
        m.d.comb += [
            queue.i.payload.eq(bus.wdata.word_select(inner, TOKEN_BITS)),
            queue.i.valid.eq(bus.wvalid & bus.wready & (written[low:] == place[low:])),
        ]
        # Digits, then the end of the line.
        number = Signal(range(DIGITS + len(TAIL)))
        digit = queue.o.payload.word_select(~number[: exact_log2(DIGITS)], 4)
        letter = Mux(digit < 10, ord("0") + digit, ord("a") - 10 + digit)
        tail = Array(Const(byte, 8) for byte in TAIL)[number[0]]
        last = number == DIGITS + len(TAIL) - 1
        m.d.comb += [
            line.i.valid.eq(queue.o.valid),
            line.i.payload.eq(Mux(number < DIGITS, letter, tail)),
            queue.o.ready.eq(line.i.ready & last),
            self.tx.eq(line.tx),
        ]
        with m.If(line.i.valid & line.i.ready):
            m.d.sync += number.eq(Mux(last, 0, number + 1))
        with m.If(reset):
            m.d.sync += number.eq(0)
