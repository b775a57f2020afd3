"""Register bank: what a host sees of a chip through AXI4-Lite."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data

from hw.bus.axi import OKAY, SLVERR, AxiLite
from hw.stream.component import Component, In, Out

WORD_BITS = 32


class Kind(Enum):
    """What a register is for."""

    CONTROL = "control"  # the host writes it and can read it back
    STROBE = "strobe"  # what the host writes is there for a cycle; it reads 0
    STATUS = "status"  # the chip says what it reads; a write does nothing
    EVENT = "event"  # the chip sets bits, the host clears those that it writes as 1
    ENABLE = "enable"  # as control; its bits, in order, let those of events interrupt the host


@dataclass(frozen=True)
class Register:
    """A word that a host sees.

    Parameters
    ----------
    name : str
    address : int
        In bytes, that of a word.
    bits : int
        Its lowest ones, up to 32; the others read 0.
    kind : Kind
    about : str
        What it says, in one line.
    """

    name: str
    address: int
    bits: int
    kind: Kind
    about: str = ""


def _fields(*kinds: Kind) -> Callable[["RegisterBank"], data.StructLayout | None]:
    """Return what makes a structure of a bank's registers of some kinds, None if it has none."""

    def layout(bank: "RegisterBank") -> data.StructLayout | None:
        fields: Any = {one.name: one.bits for one in bank.registers if one.kind in kinds}
        return data.StructLayout(fields) if fields else None

    return layout


class RegisterBank(Component):
    """Registers on AXI4-Lite. A word that no register has is answered with SLVERR, reads 0.

    Parameters
    ----------
    registers : tuple of Register
        With names and addresses of their own.
    address_bits : int
        Of an address in bytes.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``arvalid`` to ``rvalid``, two from ``awvalid`` and ``wvalid``
        to ``bvalid``, with which ``control`` changes; one from ``happens`` to ``interrupt``.
    Rate : one read in two cycles and one write in three.
    Through paths : none.
    Reset : all registers are 0; forgets what is under way.
    """

    LATENCY = 1

    s_axi = In(lambda c: AxiLite(c.address_bits))
    """The host."""
    control = Out(_fields(Kind.CONTROL, Kind.STROBE, Kind.ENABLE))
    """What the host wrote, by the register's name."""
    status = In(_fields(Kind.STATUS))
    """What it reads."""
    happens = In(_fields(Kind.EVENT))
    """Strobes: bits to be set. A bit that is set and cleared in one cycle is set."""
    interrupt = Out(1)
    """Whether an event is there that is enabled."""

    def __init__(self, registers: tuple[Register, ...], address_bits: int = 12) -> None:
        self.registers, self.address_bits = registers, address_bits
        for one in registers:
            if one.address % 4 or not 0 <= one.address < 1 << address_bits:
                raise ValueError(f"{one.name}: no word has the address {one.address:#x}")
            if not 1 <= one.bits <= WORD_BITS:
                raise ValueError(f"{one.name}: a register has 1 to 32 bits, got {one.bits}")
        for key in ("name", "address"):
            if len({getattr(one, key) for one in registers}) < len(registers):
                raise ValueError(f"two registers have the same {key}")
        events, enables = (
            sum(one.bits for one in registers if one.kind == kind)
            for kind in (Kind.EVENT, Kind.ENABLE)
        )
        if events != enables:
            raise ValueError(f"{events} events have {enables} bits to enable them")
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        held: dict[str, Any] = {}
        for one in self.registers:
            if one.kind == Kind.EVENT:
                held[one.name] = event = Signal(one.bits, name=one.name)
                m.d.sync += event.eq(event | self.happens[one.name])
            else:
                held[one.name] = (self.status if one.kind == Kind.STATUS else self.control)[
                    one.name
                ]
            if one.kind == Kind.STROBE:
                m.d.sync += held[one.name].eq(0)
        self._read(m, held)
        self._write(m, held)
        events = Cat(held[one.name] for one in self.registers if one.kind == Kind.EVENT)
        enables = Cat(held[one.name] for one in self.registers if one.kind == Kind.ENABLE)
        m.d.comb += self.interrupt.eq((events & enables).any())

    def _read(self, m: Module, held: dict[str, Any]) -> None:
        """Answer reads."""
        bus = self.s_axi
        m.d.comb += bus.arready.eq(~bus.rvalid)
        with m.If(bus.rready):
            m.d.sync += bus.rvalid.eq(0)
        with m.If(bus.arvalid & bus.arready):
            m.d.sync += [bus.rvalid.eq(1), bus.rdata.eq(0), bus.rresp.eq(SLVERR)]
            with m.Switch(bus.araddr[2:]):
                for one in self.registers:
                    with m.Case(one.address >> 2):
                        m.d.sync += bus.rresp.eq(OKAY)
                        if one.kind != Kind.STROBE:
                            m.d.sync += bus.rdata.eq(held[one.name])

    def _write(self, m: Module, held: dict[str, Any]) -> None:
        """Let registers take what is written."""
        bus = self.s_axi
        writes = Signal()  # in the one cycle in which address and word are taken
        m.d.comb += [bus.awready.eq(writes), bus.wready.eq(writes)]
        m.d.sync += writes.eq(bus.awvalid & bus.wvalid & ~writes & ~bus.bvalid)
        with m.If(bus.bready):
            m.d.sync += bus.bvalid.eq(0)
        with m.If(writes):
            m.d.sync += [bus.bvalid.eq(1), bus.bresp.eq(SLVERR)]
            with m.Switch(bus.awaddr[2:]):
                for one in self.registers:
                    with m.Case(one.address >> 2):
                        m.d.sync += bus.bresp.eq(OKAY)
                        if one.kind != Kind.STATUS:
                            m.d.sync += held[one.name].eq(self._written(one, held[one.name]))

    def _written(self, one: Register, old: Value) -> Value:
        """Return what a register holds once the bus's word is written to it."""
        mask = Cat(lane.replicate(8) for lane in self.s_axi.wstrb)[: one.bits]
        word = self.s_axi.wdata[: one.bits] & mask
        if one.kind == Kind.EVENT:
            return (old & ~word) | self.happens[one.name]
        return word if one.kind == Kind.STROBE else word | (old & ~mask)
