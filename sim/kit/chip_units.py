"""What benches of the chip's units share: steps for them, and the memory outside as they see it."""

from collections.abc import Callable, Iterator
from typing import Any

import cocotb

from golden.chip.instruction import Instruction
from golden.chip.shape import FP16_BYTES
from hw.chip.chip_spec import STEP, ChipSpec
from hw.chip.write_port import write_layout
from sim.kit.clock import cycle
from sim.kit.testbed import Testbed
from sim.kit.words import width


def step_of(one: Instruction, position: int = 0) -> dict[str, int]:
    """Return an instruction whose address and counts are worked out as the step that it is."""
    named = {name: int(getattr(one, name)) for name in STEP.members if name != "position"}
    return named | {"position": position}


class Steps:
    """Gives a unit its steps as the sequencer does, one after another.

    Parameters
    ----------
    bed : Testbed
        Of a :class:`hw.chip.unit.Unit`.
    serve : callable
        Begins to serve the unit's other ports; called now and after each reset.

    Attributes
    ----------
    begun : int
        Cycle of the latest strobe.
    """

    def __init__(self, bed: Testbed, serve: Callable[[], None]) -> None:
        self.bed, self.serve, self.begun = bed, serve, 0
        serve()

    async def begin(self, one: Instruction, position: int = 0, start: str = "start") -> None:
        """Show a step and raise the strobe, while the unit is not busy.

        What reads is told to ask before that, and begins when its request is taken. Ports are
        called as ``start`` is: ``load_start`` has ``load_step``, and so on.
        """
        bed, kind = self.bed, start.removesuffix("start")
        assert not bed.port(f"{kind}busy"), "busy without a step"
        if hasattr(bed.dut, f"{kind}asks"):
            await bed.pulse(f"{kind}asks", ahead=step_of(one, position))
            await bed.settled()
            while bed.port(f"{kind}request_o__valid"):
                await bed.cycles()
                await bed.settled()
            await bed.cycles()
        assert not bed.port(f"{kind}busy"), "busy without a step"
        self.begun = cycle()
        await self.bed.pulse(start, **{f"{kind}step": step_of(one, position)})

    async def run(
        self, one: Instruction, position: int = 0, *, limit: int, start: str = "start"
    ) -> int:
        """Have a step carried out; return for how many cycles the unit was busy.

        From the cycle on in which it is not, the step is any.
        """
        await self.begin(one, position, start)
        busy, kind = 0, start.removesuffix("start")
        await self.bed.settled()
        while self.bed.get(f"{kind}busy"):
            busy += 1
            assert busy <= limit, f"{one.text()}: busy for more than {limit} cycles"
            await self.bed.cycles()
            await self.bed.settled()
        assert busy, "not busy behind the strobe"
        await self.bed.cycles()
        any_step = int.from_bytes(self.bed.rng.bytes(64)) >> (512 - width(STEP))
        self.bed.set(**{f"{kind}step": any_step})
        return busy

    async def break_off(self, traffic: str, one: Instruction, position: int = 0) -> None:
        """Begin a step and reset in the middle of it, once or a few times."""
        for wait in [wait for _ in range(self.bed.resets) for wait in self.bed.burst()]:
            await self.begin(one, position)
            await self.bed.cycles(wait)
            await self.bed.restart(traffic)
            self.serve()
            await self.bed.settled()
            await self.bed.cycles()


class Parts:
    """The memory outside, as a :class:`hw.chip.unit.Reader` sees it through the word splitter.

    Parameters
    ----------
    bed : Testbed
        Of a block with ``request_o``, ``i``, ``size``, ``done`` and ``busy``.
    memory : bytes
        Whole words of the bus.
    kind : str
        What the names of these ports begin with.

    Attributes
    ----------
    taken : list of int
        How many parts each request brought, since the latest reset.
    """

    def __init__(self, bed: Testbed, memory: bytes, kind: str = "") -> None:
        self.bed, self.memory, self.kind = bed, memory, kind
        self.taken: list[int] = []
        self._done = False

    def serve(self) -> None:
        """Begin to answer requests; a reset ends it."""
        self.taken = []
        self.bed.tasks += [cocotb.start_soon(self._watch()), cocotb.start_soon(self._answer())]

    @property
    def requests(self) -> list[tuple[int, int]]:
        """Return address and words of what was asked for since the latest reset."""
        asked = self.bed.sinks[f"{self.kind}request_o"].items
        return [(one["address"], one["words"]) for one in asked]

    def parts(self, address: int, words: int) -> Iterator[dict[str, Any]]:
        """Yield the parts of some words, of the size that is wanted; other fields are any."""
        size = FP16_BYTES << self.bed.get(f"{self.kind}size")
        name, end = f"part{8 * size}", address + words * self.bed.block.spec.bus_bytes
        for at in range(address, end, size):
            fields = self.bed.block.parts.members
            part = {n: int.from_bytes(self.bed.rng.bytes(bits // 8)) for n, bits in fields.items()}
            yield part | {name: int.from_bytes(self.memory[at : at + size], "little")}

    async def _watch(self) -> None:
        while True:
            await self.bed.settled()
            self._done = bool(self.bed.get(f"{self.kind}done"))
            await self.bed.cycles()

    async def _answer(self) -> None:
        bed, source = self.bed, self.bed.sources[f"{self.kind}i"]
        while True:
            if len(self.taken) == len(self.requests):
                await bed.cycles()
                continue
            while not bed.port(f"{self.kind}busy"):  # parts wait for their step
                await bed.cycles()
            self.taken.append(0)
            for part in self.parts(*self.requests[len(self.taken) - 1]):
                await source.send([part])
                self.taken[-1] += 1
                if self._done:  # in the cycle in which it was taken
                    break


class Words:
    """The memory outside, as a unit sees it that takes whole words.

    Parameters
    ----------
    bed : Testbed
        Of a block with ``request_o``, ``i`` and ``busy``.
    memory : bytes
        Whole words of the bus.
    """

    def __init__(self, bed: Testbed, memory: bytes) -> None:
        self.bed, self.memory = bed, memory

    @property
    def requests(self) -> list[tuple[int, int]]:
        """Return address and words of what was asked for since the latest reset."""
        asked = self.bed.sinks["request_o"].items
        return [(one["address"], one["words"]) for one in asked]

    def serve(self) -> None:
        """Begin to answer requests; a reset ends it."""
        self.bed.tasks.append(cocotb.start_soon(self._answer()))

    async def _answer(self) -> None:
        bed, answered = self.bed, 0
        while True:
            asked = bed.sinks["request_o"].items
            if answered == len(asked) or not bed.port("busy"):  # words wait for their step
                await bed.cycles()
                continue
            await send_words(bed, self.memory, asked[answered])
            answered += 1


async def send_words(bed: Testbed, memory: bytes | bytearray, asked: dict[str, int]) -> None:
    """Answer a request with whole words of the bus, through the stream ``i``."""
    size, words = bed.block.spec.bus_bytes, asked["words"]
    for n in range(words):
        at = asked["address"] + n * size
        data = int.from_bytes(memory[at : at + size], "little")
        await bed.sources["i"].send([{"data": data, "last": int(n == words - 1)}])


def piece_sizes(spec: ChipSpec) -> dict[str, int]:
    """Return the bits of each field of a piece; those of ``strobe`` are the bytes of its data."""
    return {name: width(shape) for name, shape in write_layout(spec).members.items()}


def write_pieces(memory: bytearray, pieces: list[dict[str, int]], size: int) -> None:
    """Write what :func:`hw.chip.write_port.write_layout` says, in pieces of ``size`` bytes."""
    for piece in pieces:
        base = piece["address"] // size * size
        for n in range(size):
            if piece["strobe"] >> n & 1:
                memory[base + n] = piece["data"] >> (8 * n) & 255
