"""cocotb bench for WordMemory: parts of words written, words read."""

import cocotb
import numpy as np

from sim.kit.testbed import Testbed

CYCLES = 1000


@cocotb.test(timeout_time=40, timeout_unit="us")
async def reads_back(dut) -> None:
    """Read what was written before; a word stays while none is read, and words in a reset."""
    bed = await Testbed(dut).start()
    block, rng = bed.block, bed.rng
    part_bits = block.bits // block.parts
    words = np.zeros((block.words, block.parts), np.int64)
    for address in range(block.words):
        words[address] = rng.integers(1 << part_bits, size=block.parts)
        data = sum(int(part) << n * part_bits for n, part in enumerate(words[address]))
        bed.set(write_en=(1 << block.parts) - 1, write_address=address, write_data=data)
        await bed.cycles()
    bed.set(write_en=0)
    await bed.restart()
    expected = None
    for _ in range(CYCLES):
        enabled = rng.integers(2, size=block.parts) * int(rng.random() < 0.7)
        parts = rng.integers(1 << part_bits, size=block.parts)
        place, address = (int(rng.integers(block.words)) for _ in range(2))
        reads = int(rng.random() < 0.7)
        bed.set(
            write_en=sum(int(one) << n for n, one in enumerate(enabled)),
            write_address=place,
            write_data=sum(int(part) << n * part_bits for n, part in enumerate(parts)),
            read_en=reads,
            read_address=address,
        )
        await bed.settled()
        if expected is not None:
            assert bed.get("read_data") == expected
        if reads:
            expected = sum(int(part) << n * part_bits for n, part in enumerate(words[address]))
        words[place] = np.where(enabled, parts, words[place])
        await bed.cycles()
