"""cocotb bench for VectorMemory: words read and numbers written, at once and in the same place."""

import cocotb
import numpy as np

from sim.kit.testbed import Testbed

CYCLES = 400


@cocotb.test(timeout_time=100, timeout_unit="us")
async def reads_and_writes(dut) -> None:
    """Each word is read as it was before this cycle's write, and stays until the next one."""
    bed = await Testbed(dut).start()
    spec, rng = bed.block.spec.vectors, bed.rng
    numbers = np.zeros((spec.words, spec.word_lanes), np.uint16)
    shown = None
    for n in range(CYCLES):
        if n == CYCLES // 2:
            bed.set(write__en=0, read__en=0)
            await bed.restart()  # the numbers stay
            shown = None
        en, (read, write) = int(rng.integers(2)), rng.integers(spec.words, size=2)
        write = read if rng.random() < 0.3 else write
        lanes = rng.integers(2, size=spec.word_lanes) * int(rng.integers(3) > 0)
        word = rng.integers(1 << 16, size=spec.word_lanes)
        bed.set(read__en=en, read__address=int(read), write__address=int(write))
        bed.set(write__en=int(lanes @ (1 << np.arange(spec.word_lanes))), write__data=word.tolist())
        await bed.settled()
        if shown is not None:
            assert bed.get("read__data") == shown
        shown = numbers[read].tolist() if en else shown
        numbers[write] = np.where(lanes, word, numbers[write])
        await bed.cycles(bed.latency)
