"""cocotb bench for FrameReader: frames as they must be, and such as no token is."""

from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSource

from hw.bus.frame_reader import NUMBER_BYTES
from sim.kit.axi import stall
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic

COUNT = 40
WRONG = 0.5  # chance that a frame is no token


@dataclass(frozen=True)
class Expected:
    """What is to become of a frame: beats of a token, and how often each error is told."""

    beats: list[list[int]]
    early: int
    late: int
    keep: int


def expect(frame: bytes, keep: list[int], inputs: int, lanes: int) -> Expected:
    """Return what is to become of a frame, of whole words."""
    numbers = np.frombuffer(frame, "<u2").reshape(-1, lanes)
    kept = np.array(keep).reshape(-1, lanes, NUMBER_BYTES)
    beats = -(-inputs // lanes)
    wanted = np.arange(beats * lanes).reshape(-1, lanes) < inputs
    taken = min(beats, len(numbers))
    token = np.zeros((beats, lanes), int)
    token[:taken] = np.where(kept.all(axis=2), numbers, 0)[:taken]
    wrong = kept[:taken] != wanted[:taken, :, None]
    return Expected(
        token.tolist(),
        early=int(len(numbers) < beats),
        late=int(len(numbers) > beats),
        keep=int(wrong.any(axis=(1, 2)).sum()),
    )


class Sender:
    """Sends frames, and knows what is to come of them."""

    def __init__(self, bed: Testbed, traffic: str = "free") -> None:
        self.bed, self.lanes = bed, bed.block.lanes
        bus = AxiStreamBus.from_prefix(bed.dut, "s_axis")
        self.source: Any = AxiStreamSource(bus, bed.dut.clk, bed.dut.rst)
        stall(self.source, bed.rng, TRAFFIC[traffic].source_stall)
        self.inputs = 1

    def frame(self) -> tuple[bytes, list[int]]:
        """Return a frame: a token, or one of too few or too many words, or with bytes missing."""
        rng, size = self.bed.rng, self.lanes * NUMBER_BYTES
        beats = -(-self.inputs // self.lanes)
        keep = [1] * (self.inputs * NUMBER_BYTES)
        kind = rng.integers(3) if rng.random() < WRONG else None
        if kind == 0:
            keep = [1] * (size * int(rng.integers(1, 2 * beats + 2)))
        elif kind == 1:
            keep[rng.integers(len(keep))] = 0
        elif kind == 2:
            keep = [1] * (int(rng.integers(1, 3 * beats)) * NUMBER_BYTES)
        keep += [0] * (-len(keep) % size)
        return rng.bytes(len(keep)), keep

    async def send(self) -> Expected:
        """Send a frame."""
        frame, keep = self.frame()
        await self.source.send(AxiStreamFrame(frame, tkeep=keep))
        return expect(frame, keep, self.inputs, self.lanes)


def errors(bed: Testbed) -> dict[str, int]:
    """Return counts of the strobes, which go on."""
    seen: dict[str, int] = {"early": 0, "late": 0, "keep": 0}

    async def watch() -> None:
        while True:
            await bed.settled()
            for name, strobe in bed.get("errors").items():
                seen[name] += strobe
            await bed.cycles()

    bed.tasks.append(cocotb.start_soon(watch()))
    return seen


@every_traffic
@cocotb.test(timeout_time=200, timeout_unit="us")
async def every_frame_is_a_token(dut, traffic: str) -> None:
    """Whatever frames come, each is one token of the length that is said, and errors are told."""
    bed = Testbed(dut)
    sender = Sender(bed, traffic)
    await bed.start(traffic)
    total = 0
    for inputs in (1, bed.block.inputs_max, *bed.rng.integers(1, bed.block.inputs_max, 3)):
        await bed.restart(traffic)
        sender.inputs = int(inputs)
        bed.set(inputs=sender.inputs)
        seen = errors(bed)
        wanted = [await sender.send() for _ in range(COUNT)]
        await bed.expect("o", [beat for one in wanted for beat in one.beats])
        while not sender.source.idle():  # the end of a frame that is too long
            await bed.cycles()
        await bed.cycles(2)
        for name, count in seen.items():
            assert count == sum(getattr(one, name) for one in wanted), name
            total += count
    assert total > COUNT


@cocotb.test(timeout_time=100, timeout_unit="us")
async def forgets_at_reset(dut) -> None:
    """After a reset in the middle of any frame the next word is a frame's first."""
    bed = Testbed(dut)
    sender = Sender(bed)
    await bed.start()
    sender.inputs = bed.block.inputs_max
    for wait in range(30):
        bed.set(inputs=sender.inputs)
        for _ in range(4):
            await sender.send()
        await bed.cycles(wait)
        sender.source.clear()
        await bed.restart()
        wanted = await sender.send()
        await bed.expect("o", wanted.beats)
        while not sender.source.idle():
            await bed.cycles()
        await bed.restart()
