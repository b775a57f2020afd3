"""What every bench starts with: the component, its ports by name, and a driver on each stream."""

import os
from collections.abc import Callable, Sequence
from typing import Any, Self

import cocotb
import numpy as np
from amaranth.hdl import ShapeLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from cocotb.triggers import RisingEdge, Timer

from gateware.points import point
from hw.stream.share import port_name
from sim.kit import COMPONENT, RESETS
from sim.kit.clock import cycle, next_cycle, reset, settled, start_clock
from sim.kit.streams import StreamSink, StreamSource
from sim.kit.through_paths import ThroughPaths
from sim.kit.traffic import TRAFFIC, Pauses
from sim.kit.words import pack, unpack, width

STREAM = {"payload", "valid", "ready"}
FEW_RESETS = 2  # unless the environment says how many
LATEST = 60  # cycles after a start in which a reset comes
BURST = 4  # resets in a burst are fewer cycles apart


def component() -> Any:
    """Return the component that the Verilog came from, for its parameters and layouts."""
    return point(os.environ[COMPONENT]).make()


class Testbed:
    """The block in the simulator.

    Ports of an interface within the block's are named as in Verilog, ``rows__data`` say.

    Parameters
    ----------
    dut : handle
        The top level.
    block : wiring.Component, optional
        What it was made from; by default the point that the launcher names.

    Attributes
    ----------
    block : wiring.Component
    rng : numpy.random.Generator
        For stimulus: the seed alone decides it, not the drivers' pauses.
    sources, sinks : dict
        A driver for each stream of the block, by port.
    tasks : list
        What runs beside the test until the next reset.
    started : bool
        Whether the clock runs.
    """

    __test__ = False

    def __init__(self, dut, block: wiring.Component | None = None) -> None:
        self.dut = dut
        self.block: Any = component() if block is None else block
        seeds = np.random.default_rng(cocotb.RANDOM_SEED).spawn(3)
        self.rng, self._pauses, self._resets = seeds
        self.sources: dict[str, StreamSource] = {}
        self.sinks: dict[str, StreamSink] = {}
        self._shapes: dict[str, ShapeLike] = {}
        self._inputs: list[str] = []
        self._streams: dict[str, tuple[bool, ShapeLike]] = {}
        self.tasks: list[Any] = []
        self.started = False
        for name, member in self.block.signature.members.items():
            is_stream = member.is_signature and set(member.signature.members) == STREAM
            if is_stream:
                payload = member.signature.members["payload"].shape
                for index in np.ndindex(member.dimensions):
                    self._streams[port_name((name, *index))] = member.flow == In, payload
                continue
            alone: Any = wiring.Signature({name: member}).flatten(self.block)
            for path, part, _ in alone:
                flat = port_name(path)
                self._shapes[flat] = part.shape
                if part.flow == In:
                    self._inputs.append(flat)

    @property
    def latency(self) -> int:
        """Cycles that the block says it takes; 0 for a combinational one."""
        return getattr(self.block, "LATENCY", getattr(self.block, "latency", 0))

    async def start(self, traffic: str = "free", **inputs: Any) -> Self:
        """Drive zeros and ``inputs``, start the clock, reset, put a driver on each stream."""
        self.set(**{name: 0 for name in self._inputs if name not in inputs}, **inputs)
        for name, (is_input, _) in self._streams.items():
            driven = ("valid", "payload") if is_input else ("ready",)
            for part in driven:
                handle = getattr(self.dut, f"{name}__{part}", None)
                if handle is not None:
                    handle.value = 0
        start_clock(self.dut)
        self.started = True
        await self.restart(traffic)
        return self

    async def restart(self, traffic: str = "free") -> None:
        """Stop all drivers, reset the block for a cycle or two, and begin anew."""
        for task in [*self.tasks, *(sink.task for sink in self.sinks.values())]:
            task.cancel()
        self.tasks = []
        for name in (name for name, (is_input, _) in self._streams.items() if is_input):
            getattr(self.dut, f"{name}__valid").value = 0
        await reset(self.dut)
        self.sources, self.sinks = {}, {}
        for name, (is_input, shape) in self._streams.items():
            if is_input:
                settings = {"rng": self._pauses.spawn(1)[0], "traffic": TRAFFIC[traffic]}
                self.sources[name] = StreamSource(self.dut, name, shape, **settings)
            else:
                self.renew_sink(name, traffic)
        if traffic == "slow_both" and self._streams:
            paths = ThroughPaths(self.dut, self.block, self._streams)
            self.tasks.append(cocotb.start_soon(paths.watch()))

    def renew_sink(self, port: str, traffic: str = "free") -> None:
        """Put a driver on an output stream that has none, or none any more."""
        settings = {"rng": self._pauses.spawn(1)[0], "traffic": TRAFFIC[traffic]}
        self.sinks[port] = StreamSink(self.dut, port, self._streams[port][1], **settings)

    def set(self, **inputs: Any) -> None:
        """Drive inputs that are not streams, from this cycle on."""
        for name, value in inputs.items():
            assert name in self._inputs, f"{name} is not an input"
            getattr(self.dut, name).value = pack(self._shapes[name], value)

    def get(self, name: str) -> Any:
        """Return an output that is not a stream, as it is now."""
        value = getattr(self.dut, name).value
        assert value.is_resolvable, f"{name} is undefined: {value}"
        return unpack(self._shapes[name], int(value))

    def send(self, port: str, items: Any) -> None:
        """Begin to send items into a stream."""
        self.tasks.append(cocotb.start_soon(self.sources[port].send(items)))

    async def send_anew(self, traffic: str, **streams: Sequence[Any]) -> None:
        """Begin to send into streams, reset in the middle again and again, then send all of it."""
        for wait in [wait for _ in range(self.resets) for wait in self.burst()]:
            for port, items in streams.items():
                self.send(port, items)
            await self.cycles(wait)
            await self.restart(traffic)
        for port, items in streams.items():
            self.send(port, items)

    async def receive(self, port: str, count: int) -> list[Any]:
        """Return exactly ``count`` items from a stream; see :meth:`StreamSink.until`."""
        return await self.sinks[port].until(count)

    async def expect(self, port: str, expected: Sequence[Any]) -> None:
        """Receive as many items as are expected; name the first that differs."""
        for n, (got, wanted) in enumerate(
            zip(await self.receive(port, len(expected)), expected, strict=True)
        ):
            assert got == wanted, f"{port}, item {n}: expected {wanted}, got {got}"

    async def evaluate(self, *outputs: str, **inputs: Any) -> list[Any]:
        """Drive a combinational block, let it settle, and return its outputs."""
        self.set(**inputs)
        await Timer(1, unit="ns")
        return [self.get(name) for name in outputs]

    async def settled(self) -> None:
        """Wait until what was driven in this cycle has had its effect."""
        await settled(self.dut)

    async def cycles(self, count: int = 1) -> None:
        """Wait until right after a rising edge, ``count`` cycles on."""
        await next_cycle(self.dut, count)

    def port(self, name: str) -> int:
        """Return the bits of any port of the Verilog, as they are now."""
        return int(getattr(self.dut, name).value)

    def item(self, port: str) -> Any:
        """Return what a stream's payload says now."""
        return unpack(self._streams[port][1], self.port(f"{port}__payload"))

    def shape(self, name: str) -> Any:
        """Return the shape of a port that is not a stream."""
        return self._shapes[name]

    def mask(self, name: str) -> int:
        """Return a port's word with all bits set."""
        return (1 << width(self._shapes[name])) - 1

    async def pulse(self, *names: str, **inputs: Any) -> None:
        """Raise strobes for one cycle, with other inputs set before."""
        self.set(**inputs, **dict.fromkeys(names, 1))
        await self.cycles()
        self.set(**dict.fromkeys(names, 0))

    async def until(self, name: str) -> int:
        """Wait until an output is high; return how many cycles it was not."""
        waited = 0
        while True:
            await self.settled()
            high = self.get(name)
            await self.cycles()
            if high:
                return waited
            waited += 1

    async def drained(self, port: str = "o") -> list[Any]:
        """Raise ``drain`` until the block says that all is out; return what came meanwhile."""
        before = len(self.sinks[port].items)
        self.set(drain=1)
        await self.until("drained")
        return self.sinks[port].items[before:]

    def strobe(self, name: str) -> list[int]:
        """Return a list to which each cycle in which an output strobe is high will be added."""
        seen: list[int] = []

        async def watch() -> None:
            while True:
                await self.settled()
                if self.get(name):
                    seen.append(cycle())
                await self.cycles()

        self.tasks.append(cocotb.start_soon(watch()))
        return seen

    def check_pipeline(self, i: str, o: str, latency: int, *, interval: int = 1) -> None:
        """Compare with the stated timing: one item out for each item in, with nobody pausing."""
        taken = self.sources[i].taken_at
        np.testing.assert_array_equal(np.subtract(self.sinks[o].valid_at, taken), latency)
        np.testing.assert_array_equal(np.diff(taken), interval)

    async def offer(
        self, count: int, stall: float, ends: Callable[[], bool], *, empty: bool = False
    ) -> None:
        """Raise ``available`` for a number of tokens, with pauses; each stays until it is done.

        ``ends`` says whether the item in ``o`` is a token's last; ``empty`` tokens have none. The
        block's output ``done``, if it has one, must say the same.
        """
        pause, available = Pauses(self.rng.spawn(1)[0], stall), False
        while count:
            available = available or not pause()
            self.set(available=int(available))
            await self.settled()
            taken = self.port("o__valid") & self.port("o__ready")
            done = bool(available if empty else taken and ends())
            assert "done" not in self._shapes or self.get("done") == done
            if done:
                count, available = count - 1, False
            await self.cycles()
        self.set(available=0)

    def check_gapless(self, port: str) -> None:
        """Compare with one item in every cycle since the first one."""
        np.testing.assert_array_equal(np.diff(self.sinks[port].taken_at), 1)

    @property
    def resets(self) -> int:
        """How often a test that resets in the middle of things does so."""
        return int(os.environ.get(RESETS) or FEW_RESETS)

    def burst(self, latest: int = LATEST) -> list[int]:
        """Return cycles to wait before each of one to three resets: any number, or hardly any."""
        waits = self._resets.integers(BURST, size=self._resets.integers(1, 4))
        waits[0] = self._resets.integers(latest, endpoint=True)
        return self._resets.permutation(waits).tolist()

    async def disturb(self) -> None:
        """Let what was sent go on for a random while, then reset: nothing of it may remain."""
        for wait in self.burst() if self.resets else []:
            await self.cycles(wait)
            await self.restart()
        await RisingEdge(self.dut.clk)
