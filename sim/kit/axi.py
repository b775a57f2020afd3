"""A memory on a block's AXI4 port, and a watcher of what the block asks of it.

The memory is cocotbext-axi's slave, which fails where a burst crosses a page or a write's ``last``
comes at another beat than its last one.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, RisingEdge
from cocotbext.axi import AxiReadBus, AxiSlaveRead, AxiSlaveWrite, AxiWriteBus

from hw.bus.axi import INCR, channels
from sim.kit.clock import cycle
from sim.kit.testbed import Testbed
from sim.kit.traffic import Pauses

PREFIX = "m_axi"


class Memory:
    """A memory, every byte of which has some value from the start.

    Parameters
    ----------
    bed : Testbed
        Of a block with the port ``m_axi``; not started yet.
    stall : float
        Chance that a channel pauses in a cycle.

    Attributes
    ----------
    bad : set of int
        Addresses of words that are answered with SLVERR or DECERR, by chance.
    written : dict
        Of address to byte.
    asked : dict
        By ``ar`` and ``aw``, address and beats of each burst since :meth:`watch`.
    asked_at : dict
        The same, the cycle in which each was first offered.
    channels : dict
        cocotbext-axi's drivers by ``ar``, ``r``, ``aw``, ``w`` and ``b``, those that there are.
    """

    def __init__(self, bed: Testbed, stall: float = 0) -> None:
        self.bed, self._rng = bed, bed.rng.spawn(1)[0]
        self.bad: set[int] = set()
        self.written: dict[int, int] = {}
        self.channels: dict[str, Any] = {}
        ports = bed.block.m_axi.signature.members
        clock = bed.dut.clk, bed.dut.rst
        if "araddr" in ports:
            bus = AxiReadBus.from_prefix(bed.dut, PREFIX)
            slave: Any = AxiSlaveRead(bus, *clock, target=self)
            self.channels |= {"ar": slave.ar_channel, "r": slave.r_channel}
        if "awaddr" in ports:
            bus = AxiWriteBus.from_prefix(bed.dut, PREFIX)
            slave = AxiSlaveWrite(bus, *clock, target=self)
            self.channels |= {n: getattr(slave, f"{n}_channel") for n in ("aw", "w", "b")}
            slave.b_channel.queue_occupancy_limit = -1  # else it takes no more words
        for name in {"r", "b"} & self.channels.keys():
            self._spoil(self.channels[name], f"{name}resp")
        self.asked: dict[str, list[tuple[int, int]]] = {}
        self.asked_at: dict[str, list[int]] = {}
        self._watchers: list[Any] = []
        self.stall(stall)

    def stall(self, chance: float) -> None:
        """Let each channel pause by chance from now on."""
        for channel in self.channels.values():
            stall(channel, self._rng, chance)

    def watch(self) -> None:
        """Begin to note bursts anew; a start of the bed ends it."""
        self.asked, self.asked_at = {"ar": [], "aw": []}, {"ar": [], "aw": []}
        for task in self._watchers:
            task.cancel()
        names = {"ar", "aw", "w"} & self.channels.keys()
        self._watchers = [cocotb.start_soon(self._watch(name)) for name in names]
        self.bed.tasks += self._watchers

    def word(self, address: int) -> int:
        """Return the word at an address."""
        size = self.bed.block.spec.word_bytes
        return int.from_bytes(self._bytes(address, size), "little")

    async def read(self, address: int, length: int) -> bytes:
        """Answer a beat."""
        if address in self.bad:
            raise ValueError("made to fail")
        return self._bytes(address, length)

    async def write(self, address: int, data: bytes) -> None:
        """Take what a beat's strobes say of a word, a run of bytes at a time."""
        size = self.bed.block.spec.word_bytes
        if address // size * size in self.bad:
            raise ValueError("made to fail")
        self.written.update(enumerate(data, address))

    def _bytes(self, address: int, length: int) -> bytes:
        made = hashlib.shake_128(address.to_bytes(8, "little")).digest(length)
        return bytes(self.written.get(address + n, value) for n, value in enumerate(made))

    def _spoil(self, source: Any, field: str) -> None:
        """Let a source answer with any of the two errors in place of SLVERR alone."""
        send = source.send

        async def spoilt(answer: Any) -> None:
            if getattr(answer, field):
                setattr(answer, field, int(self._rng.integers(2, 4)))
            await send(answer)

        source.send = spoilt

    async def _watch(self, name: str) -> None:
        """Check a channel; note bursts and their fixed signals."""
        dut, spec = self.bed.dut, self.bed.block.spec

        def note(values: dict[str, Any]) -> None:
            if name == "w":
                return
            size, burst, beats = (int(values[name + n]) for n in ("size", "burst", "len"))
            assert (1 << size, burst) == (spec.word_bytes, INCR)
            self.asked[name].append((int(values[f"{name}addr"]), beats + 1))
            self.asked_at[name].append(cycle())

        await hold_still(dut, PREFIX, channels(self.bed.block.m_axi.signature)[name], note)


async def hold_still(
    dut: Any, prefix: str, parts: list[str], note: Callable[[dict[str, Any]], object] = bool
) -> None:
    """Check that what a channel offers stays until it is taken; note each offer once.

    Parameters
    ----------
    dut : Any
    prefix : str
        Of the bus.
    parts : list of str
        Names of the channel's signals, ``valid`` and ``ready`` among them.
    note : callable
    """
    valid, ready = (next(n for n in parts if n.endswith(end)) for end in ("valid", "ready"))
    waiting = None
    while True:
        await FallingEdge(dut.clk)
        values = {n: getattr(dut, f"{prefix}_{n}").value for n in parts if n != ready}
        assert waiting is None or values == waiting, f"{valid}: changed while it waited"
        offered = bool(int(values[valid]))
        if offered and waiting is None:
            note(values)
        taken = int(getattr(dut, f"{prefix}_{ready}").value)
        waiting = values if offered and not taken else None
        await RisingEdge(dut.clk)


def stall(channel: Any, rng: np.random.Generator, chance: float, valid: Any = None) -> None:
    """Let a channel of cocotbext-axi pause by chance from now on.

    With ``valid`` it also pauses until that signal is high, so that who waits for ``ready`` before
    offering anything waits for ever.
    """

    def pauses() -> Iterator[bool]:
        pause = Pauses(rng.spawn(1)[0], chance)
        while True:
            yield pause() or (valid is not None and not int(valid.value))

    channel.clear_pause_generator()
    channel.pause = False
    if chance:
        channel.set_pause_generator(pauses())
