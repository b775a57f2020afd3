"""cocotb bench for VectorSum: squares and powers, with any lanes left out."""

import cocotb
import numpy as np

from golden.exact.fp16 import MAX_FINITE, BitArray, units
from golden.exact.norms import square_sum
from sim.kit.corners import finite
from sim.kit.testbed import Testbed

VECTORS = 24
ONE = 0x3C00


def word(numbers: BitArray) -> int:
    """Return numbers as they stand on a port."""
    return int.from_bytes(numbers.astype("<u2").tobytes(), "little")


@cocotb.test(timeout_time=200, timeout_unit="us")
async def sums(dut) -> None:
    """Exact sums from any start, as soon as stated; a reset leaves nothing."""
    bed = await Testbed(dut).start()
    rng, lanes, block = bed.rng, bed.block.lanes, bed.block
    for n in range(VECTORS):
        squares = n % 2
        begin = int(rng.integers(1 << 40)) if squares and n % 3 else 0
        await bed.pulse("clear", start=begin, squares=squares)
        bed.set(start=int(rng.integers(1 << 40)))
        numbers = finite(rng, (int(rng.integers(1, 40)), lanes))
        used = rng.random(numbers.shape) < 0.7
        if n < 4:
            numbers[:], used[:] = MAX_FINITE, True
        elif n % 4 < 2:  # of all lanes together the most leaves a section of the sum
            numbers[:], used[:] = int(rng.integers(31)) << 10 | 0x3FF, True
        powers = np.minimum(numbers & 0x7FFF, ONE).astype(np.uint16)
        for beat, power, mask in zip(numbers, powers, used, strict=True):
            flags = int((mask << np.arange(lanes)).sum())
            bed.set(used=flags, numbers=word(beat), powers=word(power))
            await bed.cycles()
        bed.set(used=0)
        await bed.cycles((block.LATENCY if squares else block.POWERS_LATENCY) - 1)
        await bed.settled()
        total = square_sum(numbers[used][None], begin).integers()[0]
        expected = total if squares else int(units(powers[used]).sum())
        assert bed.get("total") == expected
        await bed.cycles()
        if n % 5 == 4:
            bed.set(used=bed.mask("used"))
            await bed.cycles(int(rng.integers(1, 9)))
            bed.set(used=0)
            await bed.restart()
            await bed.cycles(block.LATENCY)
            await bed.settled()
            assert bed.get("total") == 0
            await bed.cycles()
