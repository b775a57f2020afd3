"""cocotb bench for Chip: a host has a made-up decoder write tokens, over both buses."""

from typing import Any

import cocotb
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam

from golden.chip.compiler import compile_decoder
from golden.chip.decoder import DecoderShape
from golden.chip.machine import Machine
from hw.bus.axi import channels
from hw.chip.chip import registers
from hw.chip.run import Fault
from sim.kit.axi import hold_still, stall
from sim.kit.random_decoder import random_decoder
from sim.kit.testbed import Testbed

SHAPE = DecoderShape(
    vocabulary=32, hidden=16, layers=1, heads=2, kv_heads=1, head_width=8, inner=12, context=4
)
PROMPT = [9]
OFFERS = {"m_axi": ("ar", "aw", "w"), "s_axi": ("r", "b")}  # channels on which the chip speaks
LIMIT = 2  # positions: as many new tokens
CYCLES = 12_000  # that a run may take, whatever pauses


class Host:
    """A host, and the memory that it shares with the chip."""

    def __init__(self, bed: Testbed) -> None:
        self.bed = bed
        clock = bed.dut.clk, bed.dut.rst
        self.master: Any = AxiLiteMaster(AxiLiteBus.from_prefix(bed.dut, "s_axi"), *clock)
        self.compiled = compile_decoder(random_decoder(bed.rng, SHAPE), bed.block.spec.shape)
        self.image = self.compiled.with_tokens(PROMPT)
        bus = AxiBus.from_prefix(bed.dut, "m_axi")
        self.ram: Any = AxiRam(bus, *clock, size=1 << len(self.image).bit_length())
        self.addresses = {one.name: one.address for one in registers()}

    def stall(self, chance: float) -> None:
        """Let all channels of both buses pause by chance, and be ready for what is there alone."""
        for bus, side in (("s_axi", self.master), ("m_axi", self.ram)):
            for half in (side.write_if, side.read_if):
                for name in ("aw", "w", "b", "ar", "r"):
                    channel = getattr(half, f"{name}_channel", None)
                    if channel:
                        taken = name in OFFERS[bus]
                        valid = getattr(self.bed.dut, f"{bus}_{name}valid") if taken else None
                        stall(channel, self.bed.rng, chance, valid)

    def watch(self) -> None:
        """Check that whatever the chip offers stays until it is taken; a reset ends it."""
        dut = self.bed.dut
        for bus, names in OFFERS.items():
            parts = channels(getattr(self.bed.block, bus).signature)
            checks = [cocotb.start_soon(hold_still(dut, bus, parts[name])) for name in names]
            self.bed.tasks += checks

    async def write(self, **values: int) -> None:
        """Write registers."""
        for name, value in values.items():
            await self.master.write(self.addresses[name], value.to_bytes(4, "little"))

    async def read(self, name: str) -> int:
        """Read a register."""
        answer = await self.master.read(self.addresses[name], 4)
        return int.from_bytes(answer.data, "little")

    async def start(self) -> None:
        """Put the image into memory and start a run."""
        self.ram.write(0, self.image)
        run = {"program": self.compiled.program, "known": len(PROMPT), "limit": LIMIT}
        await self.write(**run, first=0, ends=0, enables=1, start=1)

    async def interrupted(self) -> None:
        """Wait for the interrupt."""
        for _ in range(CYCLES):
            await self.bed.settled()
            if self.bed.get("interrupts"):
                break
            await self.bed.cycles()
        assert self.bed.get("interrupts"), f"not done in {CYCLES} cycles"
        await self.bed.cycles()

    def expected(self) -> bytes:
        """Return the memory as the machine leaves it."""
        machine = Machine(self.bed.block.spec.shape, self.image)
        while machine.position < LIMIT:
            machine.run(self.compiled.program, len(PROMPT))
        return machine.memory.tobytes()

    async def check(self) -> None:
        """Have a whole run done; compare memory, and all that the host can read."""
        await self.start()
        assert await self.read("running") == 1
        await self.interrupted()
        assert await self.read("fault") == Fault.NONE.value
        assert await self.read("running") == 0
        assert await self.read("position") == LIMIT
        assert await self.read("events") == 1
        expected = self.expected()
        assert expected != self.image
        assert self.ram.read(0, len(expected)) == expected
        await self.write(events=1)
        await self.bed.settled()
        assert not self.bed.get("interrupts")
        await self.bed.cycles()


@cocotb.test(timeout_time=500, timeout_unit="us")
async def writes_tokens(dut) -> None:
    """Two tokens follow one, and every byte of memory is the machine's."""
    bed = Testbed(dut)
    host = Host(bed)
    await bed.start()
    host.watch()
    await host.check()


@cocotb.test(timeout_time=1000, timeout_unit="us")
async def waits_and_stops(dut) -> None:
    """Whoever pauses, and whatever run was broken off before, the bytes are the same."""
    bed = Testbed(dut)
    host = Host(bed)
    await bed.start()
    host.watch()
    await host.start()
    await bed.cycles(int(bed.rng.integers(1000)))
    await bed.restart()
    host.watch()
    await host.start()
    await bed.cycles(int(bed.rng.integers(500)))
    await host.write(stop=1)
    await host.interrupted()
    assert await host.read("fault") == Fault.STOPPED.value
    assert await host.read("events") == 3
    await host.write(events=3)
    host.stall(0.3)
    await host.check()
