"""cocotb bench for WordSplitter: parts of every size, and requests that want only some of them."""

from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np

from golden.chip.shape import FP16_BYTES
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

COUNT = 24


@dataclass
class Request:
    """Words that were asked for: ``wanted`` parts of them, of ``16 << size`` bits; the rest waits.

    With ``done`` the end is told, without it all parts are taken.
    """

    size: int
    words: list[int]
    wanted: int
    done: bool

    def parts(self, bus_bytes: int) -> list[int]:
        """Return the parts that come out."""
        size = FP16_BYTES << self.size
        data = b"".join(word.to_bytes(bus_bytes, "little") for word in self.words)
        cut = [int.from_bytes(data[n : n + size], "little") for n in range(0, len(data), size)]
        return cut[: self.wanted]


def any_request(bed: Testbed) -> Request:
    """Return a request; often it is done with within its last word, or a word or two before."""
    spec, rng = bed.block.spec, bed.rng
    size, count = int(rng.integers(bed.block.levels)), int(rng.integers(1, 5))
    per_word = spec.bus_bytes // (FP16_BYTES << size)
    words = [int.from_bytes(rng.bytes(spec.bus_bytes)) for _ in range(count)]
    if rng.random() < 0.3:
        return Request(size, words, count * per_word, done=False)
    return Request(size, words, int(rng.integers(1, count * per_word, endpoint=True)), done=True)


def serve(bed: Testbed, asked: list[Request]) -> None:
    """Send the words, and say what is wanted of them as a reader would."""

    async def control() -> None:
        for one in asked:
            left = one.wanted
            while left:
                bed.set(size=one.size, done=int(one.done and left == 1))
                await bed.settled()
                left -= bed.port("o__valid") & bed.port("o__ready")
                await bed.cycles()

    bed.tasks.append(cocotb.start_soon(control()))
    last = [(word, n == len(one.words) - 1) for one in asked for n, word in enumerate(one.words)]
    bed.send("i", [{"data": word, "last": int(end)} for word, end in last])


@every_traffic
@cocotb.test(timeout_time=300, timeout_unit="us")
async def splits(dut, traffic: str) -> None:
    """Every part that is wanted comes once, and every word is taken."""
    bed = await Testbed(dut).start()
    asked = [any_request(bed) for _ in range(COUNT)]
    serve(bed, asked)
    await bed.disturb()
    await bed.restart(traffic)
    serve(bed, asked)
    expected: list[tuple[str, int]] = []
    for one in asked:
        parts = one.parts(bed.block.spec.bus_bytes)
        expected += [(f"part{8 * FP16_BYTES << one.size}", part) for part in parts]
    got: list[Any] = await bed.receive("o", len(expected))
    for n, (name, part) in enumerate(expected):
        assert got[n][name] == part, f"part {n}, {name}: expected {part:#x}, got {got[n]}"
    assert len(bed.sources["i"].taken_at) == sum(len(one.words) for one in asked)
    if traffic == "free":
        check_cycles(bed, asked)


def check_cycles(bed: Testbed, asked: list[Request]) -> None:
    """Compare with one part in every cycle, and one for each word that is dropped whole."""
    gaps: list[int] = []
    for one in asked:
        size = FP16_BYTES << one.size
        used = -(-one.wanted * size // bed.block.spec.bus_bytes)
        gaps += [1] * (one.wanted - 1) + [1 + len(one.words) - used]
    np.testing.assert_array_equal(np.diff(bed.sinks["o"].taken_at), gaps[:-1])
