"""cocotb bench for Largest: vectors of every length, with equal numbers, zeros, and none at all."""

import cocotb
import numpy as np

from golden.exact.fp16 import key
from golden.exact.vector_operations import first_largest, largest
from sim.kit.corners import clean, finite, from_key
from sim.kit.testbed import Testbed

VECTORS = 100


@cocotb.test(timeout_time=200, timeout_unit="us")
async def finds(dut) -> None:
    """Find the largest number, and the first such token, over one vector or several."""
    bed = await Testbed(dut).start()
    lanes, rng = bed.block.lanes, bed.rng
    most, best, token = 0, 0, 0
    for n in range(VECTORS):
        x = clean(finite(rng, (int(rng.integers(1, 30)),)))
        if n % 2:  # nearly equal ones
            x = from_key(int(rng.choice([0, -31743, 500])) + rng.integers(3, size=len(x)))
        choosing, continues = (int(rng.random() < chance) for chance in (0.7, 0.4))
        first = int(rng.integers(1 << 32, dtype=np.uint64) & ~np.uint64(0xFFFF))
        first += int(rng.integers(1 << 15))
        await bed.pulse("start", choosing=choosing, continues=continues, first=first)
        for start in range(0, len(x), lanes):
            while rng.random() < 0.3:
                bed.set(used=0, numbers=int.from_bytes(rng.bytes(2 * lanes)))
                await bed.cycles()
            part = x[start : start + lanes]
            word = int.from_bytes(part.astype("<u2").tobytes(), "little")
            noise = int.from_bytes(rng.bytes(2 * lanes)) >> 16 * len(part) << 16 * len(part)
            bed.set(used=(1 << len(part)) - 1, numbers=word | noise)
            await bed.cycles()
        bed.set(used=0)
        await bed.cycles(bed.block.latency - 1)
        found = int(key(largest(x)[None])[0])
        if not choosing:
            most = int(largest(x))
        elif not continues or found > best:
            best, token = found, first + int(first_largest(x))
        await bed.settled()
        assert bed.get("largest") == most
        await bed.cycles()
        if choosing:
            await bed.pulse("finish")
            await bed.cycles(bed.block.CHOOSING - 1)
        await bed.settled()
        assert bed.get("chosen") == token
        await bed.cycles()
        if n % 20 == 19:
            await bed.restart()
            most, best, token = 0, 0, 0
