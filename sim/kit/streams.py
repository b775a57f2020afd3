"""Ready/valid drivers that also check the rules of a stream.

Everything that drives does so right after a rising edge; by the falling edge the combinational
logic has settled, so whoever looks then sees exactly what the next rising edge will sample.
"""

from collections.abc import Iterable
from typing import Any

import cocotb
import numpy as np
from amaranth.hdl import ShapeLike
from cocotb.triggers import FallingEdge, RisingEdge

from sim.kit.clock import cycle
from sim.kit.traffic import Pauses, Traffic
from sim.kit.words import pack, unpack, width


class StreamSource:
    """Sends items into an input stream, pausing at random.

    Parameters
    ----------
    dut : handle
        The top level.
    port : str
        Stream name; its signals are ``<port>__payload``, ``<port>__valid``, ``<port>__ready``.
    shape : ShapeLike
        Of the payload.
    rng : numpy.random.Generator
        Where the pauses come from.
    traffic : Traffic
        How often to pause.

    Attributes
    ----------
    taken_at : list of int
        Clock cycle in which each item was taken.
    """

    def __init__(
        self, dut, port: str, shape: ShapeLike, *, rng: np.random.Generator, traffic: Traffic
    ) -> None:
        self._clk, self._port, self._shape = dut.clk, port, shape
        self._payload = getattr(dut, f"{port}__payload", None)  # some say nothing but "now"
        self._valid = getattr(dut, f"{port}__valid")
        self._ready = getattr(dut, f"{port}__ready")
        self._rng = rng
        self._pause = Pauses(rng, traffic.source_stall)
        self._valid.value = 0
        self.taken_at: list[int] = []

    async def send(self, items: Iterable[Any]) -> None:
        """Send every item; return once the last one is taken, right after a rising edge."""
        for item in items:
            while self._pause():
                self._scramble()
                await RisingEdge(self._clk)
            self._drive(pack(self._shape, item))
            self._valid.value = 1
            taken = False
            while not taken:
                await FallingEdge(self._clk)
                taken = _bit(self._ready, f"{self._port}.ready")
                if taken:
                    self.taken_at.append(cycle())
                await RisingEdge(self._clk)
            self._valid.value = 0
            self._scramble()

    def _drive(self, bits: int) -> None:
        if self._payload is not None:
            self._payload.value = bits

    def _scramble(self) -> None:
        """Drive noise while ``valid`` is low: it must not matter."""
        bits = width(self._shape)
        self._drive(int.from_bytes(self._rng.bytes(bits // 8 + 1)) & ((1 << bits) - 1))


class StreamSink:
    """Takes items from an output stream, pausing at random, and checks the block's side of it.

    ``valid`` does not fall before the item is taken, the payload stays meanwhile, neither is
    ever undefined; and with ``after_valid`` traffic ``valid`` does not wait for ``ready``.

    Parameters
    ----------
    dut, port, shape, rng, traffic
        As for :class:`StreamSource`.

    Attributes
    ----------
    items : list
        What came, unpacked.
    valid_at, taken_at : list of int
        Clock cycle in which each item was first offered, and taken.
    """

    def __init__(
        self, dut, port: str, shape: ShapeLike, *, rng: np.random.Generator, traffic: Traffic
    ) -> None:
        self._clk, self._port, self._shape = dut.clk, port, shape
        self._payload = getattr(dut, f"{port}__payload", None)
        self._valid = getattr(dut, f"{port}__valid")
        self._ready = getattr(dut, f"{port}__ready")
        self._pause = Pauses(rng, traffic.sink_stall)
        self._after_valid = traffic.after_valid
        self._ready.value = 0
        self.items: list[Any] = []
        self.valid_at: list[int] = []
        self.taken_at: list[int] = []
        self.task = cocotb.start_soon(self._run())

    async def until(self, count: int, *, then_idle: int = 12) -> list[Any]:
        """Return once ``count`` items have come and ``then_idle`` cycles brought no more.

        The test's own time limit ends it when they never come.
        """
        assert count > 0, "a bench that expects nothing shows nothing"
        while len(self.items) < count:
            await FallingEdge(self._clk)
        for _ in range(then_idle):
            await FallingEdge(self._clk)
        extra = len(self.valid_at) - count
        assert extra == 0, f"{self._port}: {extra} items too many"
        await RisingEdge(self._clk)
        return self.items

    async def _run(self) -> None:
        waiting: int | None = None
        offered = False
        while True:
            self._ready.value = int((offered or not self._after_valid) and not self._pause())
            await FallingEdge(self._clk)
            offered = _bit(self._valid, f"{self._port}.valid")
            ready = _bit(self._ready, f"{self._port}.ready")
            bits = self._bits() if offered else None
            if waiting is not None:
                assert offered, f"{self._port}: valid fell before the item was taken"
                assert bits == waiting, f"{self._port}: payload changed while waiting"
            elif offered:
                self.valid_at.append(cycle())
            if bits is not None and ready:
                self.items.append(unpack(self._shape, bits))
                self.taken_at.append(cycle())
            waiting = None if ready else bits
            await RisingEdge(self._clk)

    def _bits(self) -> int:
        if self._payload is None:
            return 0
        value = self._payload.value
        assert value.is_resolvable, f"{self._port}: payload undefined while valid: {value}"
        return int(value)


def _bit(handle, name: str) -> bool:
    value = handle.value
    assert value.is_resolvable, f"{name} is undefined"
    return bool(int(value))
