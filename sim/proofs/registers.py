"""What a register bank must do, as rules."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hw.bus.axi import OKAY, SLVERR
from hw.bus.register_bank import RegisterBank
from hw.bus.register_map import WORD_BITS, Kind, RegisterMap
from sim.proofs.axi import add_rules
from sim.proofs.properties import Properties, keeps


class RegisterRules(wiring.Component):
    """A register bank and any host: it answers in time, and what is read was written last.

    One word, whichever is the ``word`` one, is followed. If the host writes it and reads it back,
    every byte is what its last strobe wrote, and the chip has it so; if it is constant it stays;
    what no register has is answered with an error, and all else without. The host may pause and
    ask as it likes, reads and writes side by side; the chip's own side may do anything.

    Parameters
    ----------
    registers : RegisterMap
        Of the bank. Its ports become ports of this one, with one more:

    Ports
    -----
    word : In(address_bits - 2)
        The word that is followed. Steady until a reset.
    """

    properties: Properties

    def __init__(self, registers: RegisterMap) -> None:
        self.bank = RegisterBank(registers)
        ports = self.bank.signature.members
        inputs: Any = {name: member for name, member in ports.items() if member.flow == In}
        super().__init__(inputs | {"word": In(registers.address_bits - 2)})

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        self.properties = p = Properties(m, platform)
        m.submodules.bank = bank = self.bank
        ours: Any = self
        wiring.connect(m, bank.s_axi, wiring.flipped(ours.s_axi))
        m.d.comb += [bank.status.eq(ours.status), bank.happens.eq(ours.happens)]
        add_rules(m, p, "s_axi", bank.s_axi)
        p.assume("word_is_steady", keeps(m, ours.word, "word"))
        self._answer(m, p, bank.s_axi)
        self._follow(m, p, bank.s_axi, ours.word)
        return m

    def _answer(self, m: Module, p: Properties, bus: Any) -> None:
        """Demand answers as soon as the docstring of the bank says."""
        read, written, late = Signal(), Signal(), Signal()
        writes = bus.awvalid & bus.wvalid
        m.d.sync += [
            read.eq(bus.arvalid & bus.arready),
            written.eq(bus.awvalid & bus.awready),
            late.eq(writes & ~bus.awready & ~bus.bvalid),
        ]
        p.rule("takes_a_read_unless_one_waits", ~bus.arvalid | bus.arready | bus.rvalid)
        p.rule("answers_a_read_in_the_next_cycle", ~read | bus.rvalid)
        p.rule("takes_a_write_in_two_cycles", ~late | bus.awready)
        p.rule("answers_a_write_in_the_next_cycle", ~written | bus.bvalid)

    def _follow(self, m: Module, p: Properties, bus: Any, word: Signal) -> None:
        """Demand of the word that is followed what the host knows of it."""
        there, kept, known = Signal(), Signal(), Signal(init=1)
        mask, reset = Signal(WORD_BITS), Signal(WORD_BITS)
        written, held, now = Signal(), Signal(WORD_BITS), Signal(WORD_BITS)
        m.d.comb += [known.eq(1), now.eq(Mux(written, held, reset))]
        for one in self.bank.registers:
            mine = word == one.address >> 2
            with m.If(mine):
                m.d.comb += [
                    there.eq(1),
                    kept.eq(one.kind == Kind.CONTROL),
                    known.eq(one.kind not in (Kind.STATUS, Kind.EVENT)),
                    mask.eq((1 << one.bits) - 1),
                    reset.eq(one.reset),
                ]
            if one.kind == Kind.CONTROL:
                same = self.bank.control[one.name] == now[: one.bits]
                p.rule(f"the_chip_has_{one.name}", ~mine | same)
        writes = bus.awvalid & bus.awready & (bus.awaddr[2:] == word)
        lanes = Cat(lane.replicate(8) for lane in bus.wstrb)
        with m.If(writes & kept):
            m.d.sync += [
                held.eq(((now & ~lanes) | (bus.wdata & lanes)) & mask),
                written.eq(1),
            ]
        asked, told, expected = Signal(), Signal(), Signal(WORD_BITS)
        with m.If(bus.arvalid & bus.arready):
            m.d.sync += [asked.eq(bus.araddr[2:] == word), expected.eq(now)]
        with m.If(bus.awvalid & bus.awready):
            m.d.sync += told.eq(bus.awaddr[2:] == word)
        answer = Mux(there, OKAY, SLVERR)
        reads = asked & bus.rvalid
        p.rule("reads_what_was_written", ~(reads & known) | (bus.rdata == expected))
        p.rule("says_whether_it_is_read", ~reads | (bus.rresp == answer))
        p.rule("says_whether_it_is_written", ~(told & bus.bvalid) | (bus.bresp == answer))
        p.reach("reads_a_word_that_was_written", reads & written & (expected != 0))
        p.reach("refuses_a_word", reads & ~there)
