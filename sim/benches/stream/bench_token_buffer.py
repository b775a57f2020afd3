"""cocotb bench for TokenBuffer: a writer and a reader that know nothing of each other."""

import cocotb

from sim.kit.testbed import Testbed
from sim.kit.tokens import joined

CYCLES = 4000


@cocotb.test(timeout_time=200, timeout_unit="us")
async def tokens(dut) -> None:
    """Read what was written, in the order of tokens; flags follow in a cycle."""
    bed = await Testbed(dut).start()
    await reads_back(bed, CYCLES // 4)
    bed.set(write__en=0, write__done=0, read__done=0)
    if bed.block.tokens > 2:
        bed.set(read__keep=0, read__back=0)
    await bed.restart()
    await reads_back(bed, CYCLES)


async def reads_back(bed: Testbed, cycles: int) -> None:
    """Write and read at random and compare with a list of tokens."""
    block, rng = bed.block, bed.rng
    full: list[dict[tuple[int, int], int]] = []  # complete tokens: (word, lane) to value
    writing: dict[tuple[int, int], int] = {}
    read: dict[int, int] = {}
    compared = tokens = kept = backs = 0  # kept: tokens ahead of the one that is read
    for _ in range(cycles):
        free, filled = len(full) < block.tokens, len(full) > kept
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
        keep = int(block.tokens > 2 and (kept > 0 or rng.random() < 0.5))
        back = int(rng.random() < 0.3 or kept + 1 == block.tokens)  # no more can be kept
        if block.tokens > 2:
            bed.set(read__keep=keep, read__back=back)
        await bed.settled()
        assert (bed.get("write__free"), bed.get("read__filled")) == (free, filled)
        for lane, value in read.items():
            got = bed.port("read__data") >> (lane * block.lane_bits)
            assert got & ((1 << block.lane_bits) - 1) == value
            compared += 1

        if reads:
            read = {lane: v for (at, lane), v in full[kept].items() if at == wanted}
        if release and keep:
            kept = 0 if back else kept + 1
            backs += back
        elif release:
            full.pop(0)
        writing.update({(address, n): lanes[n] for n in range(block.lanes) if enable >> n & 1})
        if done:
            full.append(writing)
            writing = {}
            tokens += 1
        await bed.cycles()
    assert min(compared, tokens) > cycles // 60
    assert backs > cycles // 200 or block.tokens == 2
