"""cocotb bench for PortSplit: a manager's bytes behind several ports, whatever pauses or fails."""

from typing import Any

import cocotb
from cocotbext.axi import AxiBus, AxiMaster, AxiRam, AxiResp

from sim.kit.axi import stall
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic

SIZE = 1 << 10  # bytes behind a port
COUNT = 12


class Bench:
    """The manager and the memories; ``content`` is what they hold, as the manager sees it."""

    def __init__(self, bed: Testbed) -> None:
        block, clock = bed.block, (bed.dut.clk, bed.dut.rst)
        self.bed, self.count = bed, block.count
        self.bytes = block.port_spec.word_bytes
        self.manager: Any = AxiMaster(AxiBus.from_prefix(bed.dut, "s_axi"), *clock)
        self.memories: list[Any] = [
            AxiRam(AxiBus.from_prefix(bed.dut, f"m_axi_port{n}"), *clock, size=SIZE)
            for n in range(self.count)
        ]
        self.content = bytearray(bed.rng.bytes(SIZE * self.count))
        for place, value in enumerate(self.content):
            port, at = self.place(place)
            self.memories[port].write(at, bytes([value]))

    def place(self, address: int) -> tuple[int, int]:
        """Return port and address there of a byte."""
        word, byte = divmod(address, self.bytes)
        return word % self.count, word // self.count * self.bytes + byte

    def stall(self, chance: float) -> None:
        """Let every channel pause by chance."""
        sides = [self.manager.read_if, self.manager.write_if]
        sides += [side for one in self.memories for side in (one.read_if, one.write_if)]
        for side in sides:
            for name in ("ar", "r", "aw", "w", "b"):
                if channel := getattr(side, f"{name}_channel", None):
                    stall(channel, self.bed.rng.spawn(1)[0], chance)


@every_traffic
@cocotb.test(timeout_time=900, timeout_unit="us")
async def carries(dut, traffic: str) -> None:
    """Every byte is where it belongs, written or read, in bursts of any length."""
    bed = Testbed(dut)
    bench = Bench(bed)
    await bed.start()
    bench.stall(TRAFFIC[traffic].sink_stall)
    whole = len(bench.content)
    for _ in range(COUNT):
        at = int(bed.rng.integers(whole - 1))
        length = int(bed.rng.integers(1, min(200, whole - at) + 1))
        data = bed.rng.bytes(length)
        await bench.manager.write(at, data)
        bench.content[at : at + length] = data
        at = int(bed.rng.integers(whole - 1))
        length = int(bed.rng.integers(1, min(300, whole - at) + 1))
        read = await bench.manager.read(at, length)
        assert read.resp == AxiResp.OKAY
        assert read.data == bench.content[at : at + length]
    for address, value in enumerate(bench.content):
        port, at = bench.place(address)
        assert bench.memories[port].read(at, 1)[0] == value
