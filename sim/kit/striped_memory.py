"""The memory behind a chip's ports, in stripes as :class:`hw.bus.port_split.PortSplit` has them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from cocotbext.axi import AxiReadBus, AxiSlaveRead, AxiSlaveWrite, AxiWriteBus

from hw.chip.chip_spec import ChipSpec
from sim.kit.axi import PREFIX, stall

Told = Callable[[int, int], object]


class StripedMemory:
    """A memory image with an AXI4 port for each stripe of a word.

    Parameters
    ----------
    dut : handle
    spec : ChipSpec
    image : bytes
    written : callable
        Told the first address and the number of bytes of each write.

    Attributes
    ----------
    content : (words, ports, bytes) uint8
    read_bytes, write_bytes : int
        That have passed.
    """

    def __init__(self, dut: Any, spec: ChipSpec, image: bytes, written: Told) -> None:
        size = spec.bus_bytes // spec.ports
        padded = image + bytes(-len(image) % spec.bus_bytes)
        self.content = np.frombuffer(padded, np.uint8).reshape(-1, spec.ports, size).copy()
        self.read_bytes = self.write_bytes = 0
        self._written = written
        self.sides: list[Any] = []
        for n in range(spec.ports):
            name = PREFIX if spec.ports == 1 else f"{PREFIX}_port{n}"
            port = _Stripe(self, n)
            clock = dut.clk, dut.rst
            read: Any = AxiSlaveRead(AxiReadBus.from_prefix(dut, name), *clock, target=port)
            write: Any = AxiSlaveWrite(AxiWriteBus.from_prefix(dut, name), *clock, target=port)
            self.sides += [(read, ("ar", "r")), (write, ("aw", "w", "b"))]

    def stall(self, rng: np.random.Generator, chance: float) -> None:
        """Let all channels pause by chance."""
        for side, names in self.sides:
            for name in names:
                stall(getattr(side, f"{name}_channel"), rng, chance)

    def put(self, port: int, address: int, data: bytes) -> None:
        """Write bytes of a stripe."""
        word, first = divmod(address, self.content.shape[2])
        self.content[word, port, first : first + len(data)] = np.frombuffer(data, np.uint8)
        self.write_bytes += len(data)
        place = (word * self.content.shape[1] + port) * self.content.shape[2] + first
        self._written(place, len(data))


class _Stripe:
    """What a port reads and writes."""

    def __init__(self, memory: StripedMemory, port: int) -> None:
        self.memory, self.port = memory, port

    async def read(self, address: int, length: int) -> bytes:
        """Answer a beat; one beyond the memory fails."""
        memory = self.memory
        word, first = divmod(address, memory.content.shape[2])
        if word >= len(memory.content):
            raise IndexError(f"a read beyond the memory, at {address:#x}")
        memory.read_bytes += length
        return memory.content[word, self.port, first : first + length].tobytes()

    async def write(self, address: int, data: bytes) -> None:
        """Take a run of bytes of a beat; one beyond the memory fails."""
        if address // self.memory.content.shape[2] >= len(self.memory.content):
            raise IndexError(f"a write beyond the memory, at {address:#x}")
        self.memory.put(self.port, address, data)
