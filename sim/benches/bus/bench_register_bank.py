"""cocotb bench for RegisterBank: a host reads and writes, the chip changes what it says."""

from typing import Any

import cocotb
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from hw.bus.register_bank import Kind, Register
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
        self.registers: tuple[Register, ...] = bed.block.registers
        bus = AxiLiteBus.from_prefix(bed.dut, "s_axi")
        self.master: Any = AxiLiteMaster(bus, bed.dut.clk, bed.dut.rst)
        for name in STALL.get(traffic, "").split():
            half = self.master.write_if if name in ("aw", "w", "b") else self.master.read_if
            stall(getattr(half, f"{name}_channel"), bed.rng, TRAFFIC[traffic].source_stall or 0.4)
        self.held = {one.name: 0 for one in self.registers}

    def some(self, *kinds: Kind) -> Register:
        """Return any register of some kinds."""
        ones = [one for one in self.registers if one.kind in kinds]
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
        elif one.kind in (Kind.CONTROL, Kind.ENABLE):
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
        return [one for one in self.registers if one.kind in kinds]

    def look(self) -> None:
        """Compare the block's own ports."""
        control = self.bed.get("control")
        assert control == {n: self.held[n] for n in control}
        event, enable = (self.of(kind) for kind in (Kind.EVENT, Kind.ENABLE))
        asks = zip(event, enable, strict=True)
        wanted = any(self.held[one.name] & self.held[other.name] for one, other in asks)
        assert self.bed.get("interrupt") == wanted


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def keeps_words(dut, traffic: str) -> None:
    """Words are read as they were written, byte by byte, or as the chip said."""
    bed = Testbed(dut)
    host = Host(bed, traffic)
    await bed.start()
    interrupts = 0
    for _ in range(COUNT):
        known = host.some(list(Kind)[bed.rng.integers(len(Kind))]).address
        address = known if bed.rng.random() < 0.9 else 4 * host.word(bed.block.address_bits - 2)
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
        interrupts += bed.get("interrupt")
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
    await host.write(host.some(Kind.ENABLE).address, b"\xff" * 4)
    bed.set(happens={one.name: 1 for one in host.of(Kind.EVENT)})
    for interrupt in (0, 1):
        await bed.settled()
        assert bed.get("interrupt") == interrupt
        await bed.cycles()


@cocotb.test(timeout_time=100, timeout_unit="us")
async def forgets_at_reset(dut) -> None:
    """After a reset in any cycle of a write and a read all is 0, and the bus quiet."""
    bed = Testbed(dut)
    host = Host(bed)
    await bed.start()
    for wait in range(10):
        await host.write(host.some(Kind.CONTROL).address, b"\xff" * 4)
        host.master.init_write(host.some(Kind.ENABLE).address, b"\xff" * 4)
        host.master.init_read(host.some(Kind.CONTROL).address, 4)
        await bed.cycles(wait)
        await bed.restart()
        await bed.settled()
        assert not bed.port("s_axi_bvalid")
        assert not bed.port("s_axi_rvalid")
        host.held = {one.name: 0 for one in host.registers}
        host.look()
        await bed.cycles()
        await host.check(host.some(Kind.EVENT).address)
        await host.check(host.some(Kind.CONTROL).address)
