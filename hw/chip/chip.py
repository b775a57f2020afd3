"""Chip: runs decoders out of memory, and a host tells it when."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import connect, flipped

from hw.bus.axi import AxiLite
from hw.bus.register_bank import Kind, Register, RegisterBank
from hw.chip.chip_core import ChipCore
from hw.chip.chip_spec import ADDRESS_BITS, POSITION_BITS
from hw.chip.run import TOKEN_BITS
from hw.stream.component import In, Out, Sized

REGISTER_ADDRESS_BITS = 6
# What a host sees, in the order of the addresses; a word each.
_REGISTERS = (
    ("start", 1, Kind.STROBE, "1 starts a run"),
    ("stop", 1, Kind.STROBE, "1 ends the run that is under way, behind its instruction"),
    ("running", 1, Kind.STATUS, "whether a run is under way"),
    ("fault", 3, Kind.STATUS, "of the last run; see hw.chip.run.Fault"),
    ("position", POSITION_BITS, Kind.STATUS, "of the token at hand"),
    ("program", ADDRESS_BITS, Kind.CONTROL, "address of the program"),
    ("first", POSITION_BITS, Kind.CONTROL, "the first position"),
    ("known", POSITION_BITS, Kind.CONTROL, "tokens that are there"),
    ("limit", POSITION_BITS, Kind.CONTROL, "the position before which the run ends"),
    ("end_token", TOKEN_BITS, Kind.CONTROL, "the token behind which it ends, too"),
    ("ends", 1, Kind.CONTROL, "whether there is such a token"),
    ("events", 2, Kind.EVENT, "bit 0: a run has ended; bit 1: with a fault"),
    ("enables", 2, Kind.ENABLE, "which of them interrupt the host"),
)
REGISTERS = tuple(
    Register(name, 4 * n, bits, kind, about)
    for n, (name, bits, kind, about) in enumerate(_REGISTERS)
)


class Chip(Sized):
    """A :class:`hw.chip.chip_core.ChipCore` behind registers on AXI4-Lite.

    Timing
    ------
    Latency : as the core's and the register bank's.
    Rate : the same.
    Through paths : those of :class:`hw.bus.axi_reader.AxiReader`.
    Reset : ends the run, and all registers are 0; memory must be reset in the same cycle.
    """

    s_axi = In(lambda c: AxiLite(REGISTER_ADDRESS_BITS))
    """The host: registers as :data:`REGISTERS` has them."""
    m_axi = Out(lambda c: c.spec.m_axi)
    """The memory: program, model, cache and tokens."""
    interrupt = Out(1)
    """Whether an event is there that is enabled."""

    def build(self, m: Module) -> None:  # noqa: D102
        bank = self.put(m, "registers", RegisterBank(REGISTERS, REGISTER_ADDRESS_BITS))
        core = self.put(m, "core", ChipCore(self.spec))
        connect(m, flipped(self.s_axi), bank.s_axi)
        connect(m, core.m_axi, flipped(self.m_axi))
        for name in ("program", "first", "known", "limit", "end_token", "ends"):
            m.d.comb += getattr(core.run, name).eq(bank.control[name])
        for name in ("running", "fault", "position"):
            m.d.comb += bank.status[name].eq(getattr(core, name))
        failed = Signal()
        m.d.comb += [
            core.run.start.eq(bank.control.start),
            core.give_up.eq(bank.control.stop),
            failed.eq(core.finished & core.fault.as_value().any()),
            bank.happens.events.eq(Cat(core.finished, failed)),
            self.interrupt.eq(bank.interrupt),
        ]
