"""cocotb bench for AxiMemory: a manager reads what it has written, and nothing else."""

from typing import Any

import cocotb
from cocotb.triggers import Combine
from cocotbext.axi import AxiBus, AxiMaster, AxiResp

from hw.bus.axi import channels
from sim.kit.axi import hold_still, stall
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic

COUNT = 40


class Manager:
    """A manager, and what the memory must hold."""

    def __init__(self, bed: Testbed, traffic: str) -> None:
        self.bed, block = bed, bed.block
        self.size = block.spec.word_bytes
        bus = AxiBus.from_prefix(bed.dut, "s_axi")
        self.master: Any = AxiMaster(bus, bed.dut.clk, bed.dut.rst)
        chance = TRAFFIC[traffic].sink_stall
        for half in (self.master.write_if, self.master.read_if):
            for name in ("aw", "w", "b", "ar", "r"):
                if channel := getattr(half, f"{name}_channel", None):
                    stall(channel, bed.rng, chance)
        self.held = bytearray(self.size * block.words)

    def watch(self) -> None:
        """Check that what memory offers stays until it is taken."""
        parts = channels(self.bed.block.s_axi.signature)
        self.bed.tasks += [
            cocotb.start_soon(hold_still(self.bed.dut, "s_axi", parts[name])) for name in "rb"
        ]

    def place(self) -> tuple[int, int]:
        """Return a first byte and how many follow, all in memory."""
        first = int(self.bed.rng.integers(len(self.held)))
        most = min(len(self.held) - first, 6 * self.size)
        return first, int(self.bed.rng.integers(1, most + 1))

    async def write(self) -> None:
        """Write some bytes anywhere."""
        first, count = self.place()
        given = self.bed.rng.bytes(count)
        answer = await self.master.write(first, given)
        assert answer.resp == AxiResp.OKAY
        self.held[first : first + count] = given

    async def read(self) -> None:
        """Read some bytes anywhere."""
        first, count = self.place()
        answer = await self.master.read(first, count)
        assert answer.resp == AxiResp.OKAY
        assert answer.data == bytes(self.held[first : first + count]), f"from {first:#x} on"

    async def beyond(self) -> None:
        """Read and write behind the last word."""
        first = len(self.held) * int(self.bed.rng.integers(1, 9))
        answer = await self.master.write(first, self.bed.rng.bytes(self.size))
        assert answer.resp == AxiResp.DECERR
        assert (await self.master.read(first, 3 * self.size)).resp == AxiResp.DECERR

    async def fill(self) -> None:
        """Write the whole memory: what was there is of the test before."""
        self.held[:] = self.bed.rng.bytes(len(self.held))
        await self.master.write(0, bytes(self.held))

    async def all(self) -> None:
        """Read the whole memory."""
        answer = await self.master.read(0, len(self.held))
        assert answer.data == bytes(self.held)


@cocotb.test(timeout_time=100, timeout_unit="us")
async def begins_as_it_was_made(dut) -> None:
    """Read the first words as they are after configuration, and zeros behind them."""
    bed = Testbed(dut)
    manager = Manager(bed, "free")
    await bed.start()
    manager.watch()
    first = b"".join(word.to_bytes(manager.size, "little") for word in bed.block.init)
    manager.held[: len(first)] = first
    await manager.all()


@every_traffic
@cocotb.test(timeout_time=300, timeout_unit="us")
async def reads_and_writes(dut, traffic: str) -> None:
    """Bytes anywhere, also beyond the memory."""
    bed = Testbed(dut)
    manager = Manager(bed, traffic)
    await bed.start()
    manager.watch()
    await manager.fill()
    for n in range(COUNT):
        await (manager.write() if n % 2 else manager.read())
        if n % 8 == 7:
            await manager.beyond()
    await manager.all()


@cocotb.test(timeout_time=100, timeout_unit="us")
async def does_both_at_once(dut) -> None:
    """Read a burst beside one that is written elsewhere; what was written stays behind a reset."""
    bed = Testbed(dut)
    manager = Manager(bed, "free")
    await bed.start()
    manager.watch()
    await manager.fill()
    half = len(manager.held) // 2
    given = bed.rng.bytes(half)
    written = cocotb.start_soon(manager.master.write(half, given))
    read = cocotb.start_soon(manager.master.read(0, half))
    await Combine(written, read)
    manager.held[half:] = given
    await bed.restart()
    manager.watch()
    await manager.all()
