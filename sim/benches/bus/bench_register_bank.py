"""cocotb bench for RegisterBank: a host reads and writes, the chip changes what it says.

One test asks the tree that systemrdl-compiler makes of the file, all others what
:mod:`hw.bus.register_map` made of that.
"""

from typing import Any

import cocotb
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from hw.bus.register_map import Kind, Register, RegisterMap, read_tree
from hw.chip.chip import REGISTERS
from sim.kit.axi import stall
from sim.kit.clock import cycle
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic

COUNT = 120
STALL = {"slow_in": "aw w ar", "slow_out": "b r", "slow_both": "aw w ar b r"}


class Host:
    """A host, and what it must find in the registers.

    Parameters
    ----------
    bed : Testbed
    traffic : str
        Which channels pause.
    """

    def __init__(self, bed: Testbed, traffic: str = "free") -> None:
        self.bed = bed
        self.registers: RegisterMap = bed.block.registers
        bus = AxiLiteBus.from_prefix(bed.dut, "s_axi")
        self.master: Any = AxiLiteMaster(bus, bed.dut.clk, bed.dut.rst)
        for name in STALL.get(traffic, "").split():
            half = self.master.write_if if name in ("aw", "w", "b") else self.master.read_if
            stall(getattr(half, f"{name}_channel"), bed.rng, TRAFFIC[traffic].source_stall or 0.4)
        self.held = {one.name: one.reset for one in self.registers}
        fields = [field for one in self.of(Kind.EVENT) for field in one.fields]
        (enables,) = {field.enable[0] for field in fields if field.enable}
        self.enables = self.registers[enables].address

    def some(self, *kinds: Kind) -> Register:
        """Return any register of some kinds."""
        ones = self.of(*kinds)
        return ones[self.bed.rng.integers(len(ones))]

    def word(self, bits: int = 32) -> int:
        """Return any word."""
        return int(self.bed.rng.integers(1 << bits))

    async def write(self, address: int, data: bytes) -> None:
        """Write some bytes of a word; a word that is none of a register's is refused."""
        one = next((one for one in self.registers if one.address == address & ~3), None)
        answer = await self.master.write(address, data)
        assert answer.resp == (AxiResp.SLVERR if one is None else AxiResp.OKAY)
        if one is None:
            return
        shift = 8 * (address % 4)
        mask = ((1 << 8 * len(data)) - 1) << shift & ((1 << one.bits) - 1)
        word = int.from_bytes(data, "little") << shift & mask
        if one.kind == Kind.EVENT:
            self.held[one.name] &= ~word
        elif one.kind == Kind.CONTROL:
            self.held[one.name] = self.held[one.name] & ~mask | word

    async def check(self, address: int) -> None:
        """Read a word."""
        one = next((one for one in self.registers if one.address == address), None)
        answer = await self.master.read(address, 4)
        assert answer.resp == (AxiResp.SLVERR if one is None else AxiResp.OKAY)
        found = int.from_bytes(answer.data, "little")
        assert found == (self.held[one.name] if one else 0), f"{one and one.name}: {found:#x}"

    async def change(self) -> None:
        """Let the chip change what it says, and some events happen."""
        status = {one.name: self.word(one.bits) for one in self.of(Kind.STATUS)}
        event = {one.name: self.word(one.bits) for one in self.of(Kind.EVENT)}
        self.held |= status
        self.held |= {name: self.held[name] | bits for name, bits in event.items()}
        await self.bed.cycles()
        self.bed.set(status=status, happens=event)
        await self.bed.cycles()
        self.bed.set(happens=dict.fromkeys(event, 0))

    def of(self, *kinds: Kind) -> list[Register]:
        """Return the registers of some kinds."""
        return self.registers.of(*kinds)

    def field(self, register: str, name: str) -> int:
        """Return what a field must hold."""
        (one,) = (one for one in self.registers[register].fields if one.name == name)
        return self.held[register] >> one.low & ((1 << one.bits) - 1)

    def look(self) -> None:
        """Compare the block's own ports."""
        control = self.bed.get("control")
        assert control == {n: self.held[n] for n in control}
        wanted = any(
            self.field(one.name, field.name) and field.enable and self.field(*field.enable)
            for one in self.of(Kind.EVENT)
            for field in one.fields
        )
        assert self.bed.get("interrupts") == wanted


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def keeps_words(dut, traffic: str) -> None:
    """Words are read as they were written, byte by byte, or as the chip said."""
    bed = Testbed(dut)
    host = Host(bed, traffic)
    await bed.start()
    await host.write(host.enables, b"\xff" * 4)
    interrupts = 0
    for _ in range(COUNT):
        known = host.some(list(Kind)[bed.rng.integers(len(Kind))]).address
        place = 4 * host.word(host.registers.address_bits - 2)
        address = known if bed.rng.random() < 0.9 else place
        match bed.rng.integers(4):
            case 0:
                await host.change()
            case 1:
                await host.check(address)
            case _:
                start = int(bed.rng.choice([0, 0, 1, 2, 3]))
                size = int(bed.rng.integers(1, 5 - start))
                await host.write(address + start, bed.rng.bytes(size))
        await bed.cycles(3)
        host.look()
        interrupts += bed.get("interrupts")
    assert 0 < interrupts < COUNT


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def reads_beside_writes(dut, traffic: str) -> None:
    """Both go on side by side; each has its answer."""
    bed = Testbed(dut)
    host = Host(bed, traffic)
    await bed.start()
    await host.change()
    events: list[tuple[Any, int | None]] = []
    for _ in range(20):
        one, data = host.some(Kind.CONTROL), bed.rng.bytes(4)
        events.append((host.master.init_write(one.address, data), None))
        host.held[one.name] = int.from_bytes(data, "little") & ((1 << one.bits) - 1)
        one = host.some(Kind.STATUS)
        events.append((host.master.init_read(one.address, 4), host.held[one.name]))
    for event, word in events:
        await event.wait()
        assert event.data.resp == AxiResp.OKAY
        assert word is None or int.from_bytes(event.data.data, "little") == word
    await bed.cycles(2)
    host.look()


@cocotb.test(timeout_time=100, timeout_unit="us")
async def strobes_once(dut) -> None:
    """Strobes last one cycle; an event that comes with its clearing stays."""
    bed = Testbed(dut)
    host = Host(bed)
    await bed.start()
    seen: list[dict[str, int]] = []

    async def watch() -> None:
        while True:
            await bed.settled()
            seen.append(bed.get("control"))
            await bed.cycles()

    bed.tasks.append(cocotb.start_soon(watch()))
    for one in host.of(Kind.STROBE):
        seen.clear()
        await host.write(one.address, b"\xff" * 4)
        await bed.cycles(5)
        assert [control[one.name] for control in seen if control[one.name]] == [(1 << one.bits) - 1]
    for one in host.of(Kind.EVENT):
        bits = (1 << one.bits) - 1
        written = host.master.init_write(one.address, b"\xff" * 4)
        while not bed.port("s_axi_awready"):
            await bed.settled()
        await bed.pulse(happens={one.name: bits})
        bed.set(happens={one.name: 0})
        await written.wait()
        host.held[one.name] = bits
        await host.check(one.address)
        await host.write(one.address, b"\xff" * 4)
        await host.check(one.address)


@cocotb.test(timeout_time=100, timeout_unit="us")
async def is_in_time(dut) -> None:
    """Latencies and rates are those of the docstring."""
    bed = Testbed(dut)
    host = Host(bed)
    await bed.start()
    seen: dict[str, list[int]] = {"arvalid": [], "rvalid": [], "wvalid": [], "bvalid": []}

    async def watch() -> None:
        while True:
            await bed.settled()
            for name in seen:
                if bed.port(f"s_axi_{name}"):
                    seen[name].append(cycle())
            await bed.cycles()

    bed.tasks.append(cocotb.start_soon(watch()))
    address = host.some(Kind.CONTROL).address
    events: list[Any] = [host.master.init_write(address, b"1234") for _ in range(8)]
    events += [host.master.init_read(address, 4) for _ in range(8)]
    for event in events:
        await event.wait()
    reads, writes = seen["rvalid"], seen["bvalid"]
    assert reads[0] - seen["arvalid"][0] == bed.block.LATENCY
    assert writes[0] - seen["wvalid"][0] == 2
    assert reads == list(range(reads[0], reads[0] + 16, 2))
    assert writes == list(range(writes[0], writes[0] + 24, 3))
    await host.write(host.enables, b"\xff" * 4)
    bed.set(happens={one.name: 1 for one in host.of(Kind.EVENT)})
    for interrupt in (0, 1):
        await bed.settled()
        assert bed.get("interrupts") == interrupt
        await bed.cycles()


@cocotb.test(timeout_time=100, timeout_unit="us")
async def forgets_at_reset(dut) -> None:
    """After a reset in any cycle of a write and a read all is as at first, and the bus quiet."""
    bed = Testbed(dut)
    host = Host(bed)
    await bed.start()
    for wait in range(10):
        await host.write(host.some(Kind.CONTROL).address, b"\xff" * 4)
        host.master.init_write(host.enables, b"\xff" * 4)
        host.master.init_read(host.some(Kind.CONTROL).address, 4)
        await bed.cycles(wait)
        await bed.restart()
        await bed.settled()
        assert not bed.port("s_axi_bvalid")
        assert not bed.port("s_axi_rvalid")
        host.held = {one.name: one.reset for one in host.registers}
        host.look()
        await bed.cycles()
        await host.check(host.some(Kind.EVENT).address)
        await host.check(host.some(Kind.CONTROL).address)


@cocotb.test(timeout_time=200, timeout_unit="us")
async def is_as_the_file_says(dut) -> None:
    """Every register has its reset and its access, and every other word none."""
    bed = Testbed(dut)
    host = Host(bed)
    await bed.start()
    nodes = {one.absolute_address: one for one in read_tree(REGISTERS).registers()}
    places = range(0, 1 << bed.block.registers.address_bits, 4)
    assert set(nodes) < set(places)
    ones: dict[str, dict[str, int]] = {"status": {}, "happens": {}}
    for node in nodes.values():
        side = {"w": "happens" if node.is_interrupt_reg else "status"}
        for field in node.fields():
            if port := side.get(field.get_property("hw").name):
                word = ones[port].setdefault(node.inst_name, 0)
                ones[port][node.inst_name] = word | ((1 << field.width) - 1) << field.low

    async def compare(**said: bool) -> None:
        """Read all words: registers have their resets, or ones where that is said."""
        for address in places:
            node, word = nodes.get(address), 0
            for field in node.fields() if node else ():
                changed = said.get(_side(field))
                reset: Any = field.get_property("reset") or 0
                word |= ((1 << field.width) - 1 if changed else reset) << field.low
            answer = await host.master.read(address, 4)
            assert answer.resp == (AxiResp.OKAY if node else AxiResp.SLVERR), hex(address)
            assert int.from_bytes(answer.data, "little") == word, node and node.inst_name

    await compare()
    bed.set(**ones)
    await bed.cycles()
    bed.set(happens=dict.fromkeys(ones["happens"], 0))
    await compare(status=True, event=True)
    for address in places:
        answer = await host.master.write(address, b"\xff" * 4)
        assert answer.resp == (AxiResp.OKAY if address in nodes else AxiResp.SLVERR), hex(address)
    await compare(status=True, control=True)


def _side(field: Any) -> str:
    """Return who changes what a host reads of a field."""
    if not field.is_sw_readable or field.get_property("hw").name == "na":
        return "nobody"
    if not field.is_sw_writable:
        return "status"
    return "event" if field.get_property("onwrite") else "control"
