"""cocotb bench for TokenBuffer: a writer and a reader that know nothing of each other."""

import cocotb

from sim.kit.testbed import Testbed
from sim.kit.tokens import joined

CYCLES = 4000


@cocotb.test(timeout_time=200, timeout_unit="us")
async def two_tokens(dut) -> None:
    """Read what was written, in the order of tokens; flags follow in a cycle."""
    bed = await Testbed(dut).start()
    await reads_back(bed, CYCLES // 4)
    bed.set(write__en=0, write__done=0, read__done=0)
    await bed.restart()
    await reads_back(bed, CYCLES)


async def reads_back(bed: Testbed, cycles: int) -> None:
    """Write and read at random and compare with a list of tokens."""
    block, rng = bed.block, bed.rng
    full: list[dict[tuple[int, int], int]] = []  # complete tokens: (word, lane) to value
    writing: dict[tuple[int, int], int] = {}
    read: dict[int, int] = {}
    compared = tokens = 0
    for _ in range(cycles):
        free, filled = len(full) < 2, len(full) > 0
        enable = int(rng.integers(1 << block.lanes)) if free else 0
        address, wanted = rng.integers(block.depth, size=2).tolist()
        lanes = rng.integers(1 << block.lane_bits, size=block.lanes).tolist()
        done = int(free and rng.random() < 0.1)
        reads, release = int(filled and rng.random() < 0.8), int(filled and rng.random() < 0.1)
        bed.set(
            write__en=enable, write__address=address, write__done=done,
            write__data=joined(lanes, block.lane_bits),
            read__en=reads, read__address=wanted, read__done=release,
        )  # fmt: skip
        await bed.settled()
        assert (bed.get("write__free"), bed.get("read__filled")) == (free, filled)
        for lane, value in read.items():
            got = bed.port("read__data") >> (lane * block.lane_bits)
            assert got & ((1 << block.lane_bits) - 1) == value
            compared += 1

        if reads:
            read = {lane: v for (at, lane), v in full[0].items() if at == wanted}
        if release:
            full.pop(0)
        writing.update({(address, n): lanes[n] for n in range(block.lanes) if enable >> n & 1})
        if done:
            full.append(writing)
            writing = {}
            tokens += 1
        await bed.cycles()
    assert min(compared, tokens) > cycles // 50
