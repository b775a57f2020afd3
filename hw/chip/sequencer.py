"""Sequencer: works out the addresses of instructions and has them carried out in turn."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.utils import exact_log2

from golden.chip.instruction import Index, Op
from golden.chip.rules import WHOLE_WORDS
from golden.chip.shape import TOKEN_BYTES
from hw.bus.axi_reader import word
from hw.chip.address import Address
from hw.chip.chip_spec import ADDRESS_BITS, INSTRUCTION, POSITION_BITS, REQUEST, STEP, ChipSpec
from hw.chip.run import TOKEN_BITS, Fault, Run
from hw.chip.write_port import write_layout
from hw.stream.component import In, InStream, Out, OutStream, Sized

OPS = 16


class Sequencer(Sized[ChipSpec]):
    """Run the program for one position after another, as :meth:`golden.chip.machine.Machine.run`.

    Timing
    ------
    Latency : 0 cycles from ``run.start`` to ``fetch``.
    Rate : while an instruction is carried out the next one's address is worked out, which takes
        three cycles and one for each bit of what its stride is multiplied by, and what it reads is
        asked for, when the one before asks for nothing more and does not write. It begins one cycle
        after that has ended, or when what it asks for is taken. Those that may, as
        :class:`hw.chip.beside.Beside` says, do not wait for LINEAR to end.
    Through paths : ``run.start`` to ``fetch``; ``instruction_i.valid``, ``instruction_i.payload``,
        ``busy``, ``linear_busy``, ``may``, ``asking``, ``linear_asking``, ``refused``, ``wrong``
        and ``stop`` to ``instruction_i.ready`` and ``resume``; combinational.
    Reset : ends the run.
    """

    run = In(lambda c: Run())
    """``start``: a strobe while not ``running``. Positions go from ``first`` to before ``limit``;
    tokens of the ``known`` first ones are there. With ``ends`` the
    run ends behind ``end_token``.
    """
    running = Out(1)
    """Whether a run is under way."""
    finished = Out(1)
    """Strobe: it has ended, with or without a fault."""
    fault = Out(Fault)
    """Of the last run."""
    position = Out(POSITION_BITS)
    """Of the token at hand."""
    fetch = Out(1)
    """Strobe: fetch ``run.program``, as :class:`hw.chip.instruction_fetch.InstructionFetch`."""
    resume = Out(1)
    """Strobe: fetch on, behind a NEXT."""
    instruction_i = InStream(INSTRUCTION)
    """The instructions; taken when they begin."""
    place = Out(POSITION_BITS)
    """The position that the next instruction goes by, from the cycle behind its first one on."""
    address = Out(ADDRESS_BITS)
    """Of the instruction that begins next, its stride in it."""
    refused = In(1)
    """Whether it is refused, whatever the engine holds."""
    wrong = In(1)
    """Whether it is refused, as from :class:`hw.chip.instruction_check.InstructionCheck`."""
    stop = In(Fault)
    """Ends the run with this fault, unless it is NONE."""
    request_o = OutStream(REQUEST)
    """``words`` of the bus, one, from ``address`` on: tokens."""
    i = InStream(lambda c: word(c.spec.axi))
    """Those words."""
    ahead = Out(STEP)
    """The instruction that begins next; steady from ``asks`` until it does."""
    asks = Out(OPS)
    """Strobes, one for each operation that reads: its unit asks for what it reads first."""
    asking = In(1)
    """Whether a unit has still something to ask for, but for LINEAR's."""
    linear_asking = In(1)
    """Whether LINEAR's has."""
    writing = In(1)
    """Whether something is written, or will be by the instruction at hand, or is not answered."""
    drops = Out(1)
    """What was asked for, and all else that is read, is not wanted; until ``read``."""
    read = In(1)
    """Whether no words are to come."""
    step = Out(STEP)
    """The latest instruction that is carried out, but for LINEAR."""
    linear_step = Out(STEP)
    """The latest LINEAR."""
    starts = Out(OPS)
    """Strobes, one for each operation that a unit carries out."""
    busy = In(1)
    """Whether a unit is busy, but for LINEAR's."""
    linear_busy = In(1)
    """Whether LINEAR's is."""
    may = In(1)
    """Whether the instruction that begins next need not wait for that."""
    chosen = In(TOKEN_BITS)
    """The token that was chosen last."""
    write_o = OutStream(lambda c: write_layout(c.spec))
    """The tokens that were chosen, for the memory."""

    def build(self, m: Module) -> None:  # noqa: D102
        self._word = self.instruction_i.payload
        self._token = Signal(TOKEN_BITS)
        self._address = Address(m, "address")
        following = Signal(POSITION_BITS)
        ends = Signal()
        m.d.comb += [
            self.address.eq(self._address.value),
            following.eq(self.place + 1),
            ends.eq(
                (following >= self.run.limit)
                | (self.run.ends & (self.chosen == self.run.end_token) & ~self._word.scaled)
            ),
        ]
        last_known = Signal(POSITION_BITS)
        m.d.sync += last_known.eq(self.run.known - self.run.known.any())
        behind = self.position + self._word.token
        m.d.sync += self.place.eq(Mux(self._word.whole, last_known, behind))
        linear_starts = self.starts[Op.LINEAR.value]
        self._others, self._linear = Signal(), Signal()
        m.d.comb += [
            self._others.eq(self.busy | (self.starts.any() & ~linear_starts)),
            self._linear.eq(self.linear_busy | linear_starts),
        ]
        m.d.comb += [self.ahead[name].eq(value) for name, value in self._resolved().items()]
        m.d.sync += [self.starts.eq(0), self.asks.eq(0)]
        with m.If(self.read):
            m.d.sync += self.drops.eq(0)
        self._token_piece(m)
        with m.FSM():
            with m.State("IDLE"), m.If(self.run.start):
                m.d.sync += [
                    self.running.eq(1),
                    self.fault.eq(Fault.NONE),
                    self.position.eq(self.run.first),
                ]
                m.d.comb += self.fetch.eq(1)
                m.next = "STRIDE"
            with m.State("STRIDE"), m.If(self.instruction_i.valid):
                self._add_strides(m)
            with m.State("START"):
                self._begin(m)
            with m.State("ASK TOKEN"):
                self._ask(m)
            with m.State("TAKE"):
                self._take(m)
            with m.State("WRITE"), m.If(self.write_o.ready):
                m.d.sync += self.write_o.valid.eq(0)
                m.next = "FOLLOW"
            with m.State("FOLLOW"):
                m.d.comb += self.instruction_i.ready.eq(1)
                m.d.sync += self.position.eq(following)
                m.next = "STRIDE"
                with m.If(ends):
                    m.next = "FINISH"
                with m.Else():
                    m.d.comb += self.fetch.eq(1)
            with m.State("FINISH"), m.If(~(self._others | self._linear | self.writing)):
                with m.If(self.stop != Fault.NONE):  # of an instruction before, or of its writes
                    m.d.sync += self.fault.eq(self.stop)
                m.d.sync += self.drops.eq(1)
                m.next = "DROP"
            with m.State("DROP"), m.If(~self.drops):
                m.next = "END"
            with m.State("END"):
                m.d.comb += self.finished.eq(1)
                m.d.sync += self.running.eq(0)
                m.next = "IDLE"

    def _resolved(self) -> dict[str, Value]:
        """Return the instruction's fields as its unit takes them."""
        word, grown = self._word, self.place + 1
        return {name: word[name] for name in STEP.members if name != "position"} | {
            "address": self._address.value,
            "count": Mux(word.grows, grown, word.count),
            "outputs": Mux(word.outputs_grow, grown, word.outputs),
            "position": self.place,
        }

    def _ask(self, m: Module) -> None:
        """Ask for the word of the bus in which the token stands."""
        word = exact_log2(self.spec.bus_bytes)
        m.d.comb += [
            self.request_o.valid.eq(1),
            self.request_o.payload.address.eq(Cat(Const(0, word), self._address.value[word:])),
            self.request_o.payload.words.eq(1),
        ]
        with m.If(self.request_o.ready):
            m.next = "TAKE"

    def _add_strides(self, m: Module) -> None:
        """Add the stride times position or token to the address, bit by bit."""
        word = self._word
        lanes = exact_log2(self.spec.engine.output_lanes)
        left, stride, begun = Signal(TOKEN_BITS), Signal(ADDRESS_BITS), Signal()
        placed = Signal()  # the place is the instruction's
        times = Signal(TOKEN_BITS)
        with m.Switch(word.index):
            for index, value in (
                (Index.POSITION, self.place),
                (Index.TOKEN, self._token),
                (Index.TILE, self.place >> lanes),
            ):
                with m.Case(index.value):
                    m.d.comb += times.eq(value)
        with m.If(~placed):
            m.d.sync += placed.eq(1)
        with m.Elif(~begun):
            m.d.sync += [left.eq(times), stride.eq(word.stride), begun.eq(1)]
            m.d.sync += self._address.put(word.address)
        with m.Elif(left != 0):
            m.d.sync += [left.eq(left >> 1), stride.eq(stride << 1)]
            with m.If(left[0]):
                m.d.sync += self._address.grow(stride)
        with m.Else():
            m.d.sync += [begun.eq(0), placed.eq(0)]
            m.next = "START"

    def _begin(self, m: Module) -> None:
        """Ask for what an instruction reads, as soon as the one before asks no more; then start.

        Nothing is read while one before may write, or has not the answers to what it wrote.
        """
        op = self._word.op
        reads, able, may_ask, free = Signal(), Signal(), Signal(), Signal()
        asked, beside = Signal(), Signal()  # what reads: asked, and that beside LINEAR
        beside_linear = self._linear & (op != Op.LINEAR)
        whole = (op == Op.TAKE) | (op == Op.NEXT)  # also for answers
        m.d.comb += [
            reads.eq(Cat(op == one.value for one in WHOLE_WORDS).any()),
            able.eq(~self.refused & (self.stop == Fault.NONE)),
            free.eq(
                ~(self._others | (whole & self.writing))
                & (~self._linear | (beside_linear & self.may))
            ),
            # Words come in the order of requests, so beside LINEAR only what begins at once asks.
            may_ask.eq(Mux(beside_linear, free, ~self.linear_asking)),
        ]
        with m.If(reads & able & ~asked):
            with m.If(may_ask & ~self.asking & ~self.writing & ~self.starts.any()):
                m.d.sync += [self.asks.eq(1 << op[: exact_log2(OPS)]), asked.eq(1)]
                m.d.sync += beside.eq(beside_linear)
        with m.Elif(
            free & ~(self.asking | (self.linear_asking & (op == Op.LINEAR))) & ~self.asks.any()
        ):
            m.d.sync += [asked.eq(0), beside.eq(0)]
            self._start(m, beside)

    def _start(self, m: Module, certain: Value) -> None:
        """Begin to carry an instruction out, unless a fault has ended the run: if not ``certain``.

        Words that were asked for beside LINEAR are taken, so that its own can come.
        """
        word, following = self._word, self.place + 1
        m.next = "STRIDE"
        m.d.comb += self.instruction_i.ready.eq(1)
        with m.Switch(word.op):
            with m.Case(Op.TAKE.value):
                m.next = "ASK TOKEN"
            with m.Case(Op.NEXT.value):
                with m.If(~word.scaled):
                    m.d.comb += self.instruction_i.ready.eq(0)
                    m.d.sync += self.write_o.valid.eq(1)
                    m.next = "WRITE"
                with m.Elif(following < self.run.known):
                    m.d.comb += self.instruction_i.ready.eq(0)
                    m.next = "FOLLOW"
                with m.Else():
                    m.d.comb += self.resume.eq(1)
            with m.Default():
                m.d.sync += self.starts.eq(1 << word.op[: exact_log2(OPS)])
                with m.If(word.op == Op.LINEAR):
                    m.d.sync += self.linear_step.eq(self.ahead)
                with m.Else():
                    m.d.sync += self.step.eq(self.ahead)
        wrong = Mux((word.op >= OPS) | self.wrong, Fault.INSTRUCTION, Fault.NONE)
        fault = Mux(self.stop != Fault.NONE, self.stop, wrong)  # what came with an error is none
        with m.If((fault != Fault.NONE) & ~certain):
            m.d.sync += [self.starts.eq(0), self.write_o.valid.eq(0), self.fault.eq(fault)]
            m.d.comb += self.instruction_i.ready.eq(0)  # so that the one behind it is not seen
            m.next = "FINISH"

    def _take(self, m: Module) -> None:
        """Take a token."""
        m.d.comb += self.i.ready.eq(1)
        with m.If(self.i.valid):
            place = self._address.value[exact_log2(TOKEN_BYTES) : exact_log2(self.spec.bus_bytes)]
            m.d.sync += self._token.eq(self.i.payload.data.word_select(place, TOKEN_BITS))
            m.next = "STRIDE"

    def _token_piece(self, m: Module) -> None:
        """Show the token that was chosen, for where the next one is taken."""
        piece = self.write_o.payload
        size = len(piece.strobe)
        place = self._address.value[exact_log2(TOKEN_BYTES) : exact_log2(size)]
        m.d.comb += [
            piece.address.eq(self._address.value),
            piece.data.eq(self.chosen.replicate(size // TOKEN_BYTES)),
            piece.strobe.eq(0b1111 << (place << exact_log2(TOKEN_BYTES))),
        ]
