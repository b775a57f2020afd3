"""Register bank: what a host sees of a chip through AXI4-Lite."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data

from hw.bus.axi import OKAY, SLVERR, AxiLite
from hw.bus.register_map import Kind, Register, RegisterMap
from hw.stream.component import Component, In, Out


def _words(*kinds: Kind) -> Callable[["RegisterBank"], data.StructLayout | None]:
    """Return what makes a structure of a bank's registers of some kinds, None if it has none."""

    def layout(bank: "RegisterBank") -> data.StructLayout | None:
        words: Any = {one.name: one.bits for one in bank.registers.of(*kinds)}
        return data.StructLayout(words) if words else None

    return layout


class RegisterBank(Component):
    """Registers on AXI4-Lite. A word that no register has is answered with SLVERR, reads 0.

    Parameters
    ----------
    registers : RegisterMap

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``arvalid`` to ``rvalid``, two from ``awvalid`` and ``wvalid``
        to ``bvalid``, with which ``control`` changes; one from ``happens`` to ``interrupts``.
    Rate : one read in two cycles and one write in three.
    Through paths : none.
    Reset : all registers are as the map has them; forgets what is under way.
    """

    LATENCY = 1

    s_axi = In(lambda c: AxiLite(c.registers.address_bits))
    """The host."""
    control = Out(_words(Kind.CONTROL, Kind.STROBE))
    """What the host wrote, by the register's name."""
    status = In(_words(Kind.STATUS))
    """What it reads."""
    happens = In(_words(Kind.EVENT))
    """Strobes: bits to be set. A bit that is set and cleared in one cycle is set."""
    interrupts = Out(1)
    """Whether an event is there that is enabled."""

    def __init__(self, registers: RegisterMap) -> None:
        self.registers = registers
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        held: dict[str, Any] = {}
        for one in self.registers:
            if one.kind == Kind.STATUS:
                held[one.name] = self.status[one.name]
                continue
            if one.kind == Kind.CONSTANT:
                held[one.name] = Const(one.reset, one.bits)
                continue
            held[one.name] = word = Signal(one.bits, name=one.name, init=one.reset)
            if one.kind == Kind.EVENT:
                m.d.sync += word.eq(word | self.happens[one.name])
            elif one.kind == Kind.STROBE:
                m.d.sync += word.eq(0)
            if one.kind in (Kind.CONTROL, Kind.STROBE):
                m.d.comb += self.control[one.name].eq(word)
        self._read(m, held)
        self._write(m, held)
        asks = []
        for event in self.registers.of(Kind.EVENT):
            for field in event.fields:
                asks.append(held[event.name][field.low :][: field.bits])
                if field.enable:
                    asks[-1] = asks[-1] & self._field(held, *field.enable)
        m.d.comb += self.interrupts.eq(Cat(asks).any())

    def _field(self, held: dict[str, Any], register: str, name: str) -> Value:
        """Return the bits of a field."""
        return self.registers[register].split(held[register])[name]

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
                        if one.kind not in (Kind.CONSTANT, Kind.STATUS):
                            m.d.sync += held[one.name].eq(self._written(one, held[one.name]))

    def _written(self, one: Register, old: Value) -> Value:
        """Return what a register holds once the bus's word is written to it."""
        mask = Cat(lane.replicate(8) for lane in self.s_axi.wstrb)[: one.bits]
        word = self.s_axi.wdata[: one.bits] & mask
        if one.kind == Kind.EVENT:
            return (old & ~word) | self.happens[one.name]
        return word if one.kind == Kind.STROBE else word | (old & ~mask)
