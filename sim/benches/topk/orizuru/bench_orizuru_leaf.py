"""cocotb bench for OrizuruLeaf: keys in parts, then the best of each side whenever asked."""

import cocotb
import numpy as np

from golden.exact.outliers import select_outliers
from golden.exact.spec import IntArray
from sim.kit.testbed import Testbed

ROUNDS = 120


async def load(bed: Testbed, token: IntArray) -> None:
    """Send a token's keys part by part, with pauses; what is not there holds noise."""
    block = bed.block
    bed.set(clear=1, load=0)
    for start in range(0, len(token), block.lanes):
        keys = token[start : start + block.lanes]
        noise = bed.rng.integers(-(1 << 15), 1 << 15, block.lanes - len(keys))
        left, right = np.append(keys, noise).reshape(-1, 2).T
        beat = {
            "keys": [*keys.tolist(), *noise.tolist()],
            "mask": (1 << len(keys)) - 1,
            "greater": sum(int(bit) << n for n, bit in enumerate(right > left)),
            "less": sum(int(bit) << n for n, bit in enumerate(right < left)),
        }
        bed.set(beat=beat, load=1 << (start // block.lanes))
        await bed.cycles()
        bed.set(beat=bed.rng.integers(1 << 15), clear=0, load=0)
        await bed.cycles(int(bed.rng.integers(2)))
    if not len(token):
        await bed.cycles()
    bed.set(clear=0)


@cocotb.test(timeout_time=400, timeout_unit="us")
async def offers_keys_in_order(dut) -> None:
    """Try each side on its own, as often as its period allows; a last key stays where it is."""
    bed = await Testbed(dut).start()
    block = bed.block
    for n in range(ROUNDS):
        spread = (2, 1 << 15)[n % 2]
        length = (block.inputs, 0)[n] if n < 2 else int(bed.rng.integers(block.inputs + 1))
        token = bed.rng.integers(-spread, spread, length)
        order = select_outliers(token[None], length).reshape(2, length)
        await load(bed, token)
        eager = n % 3 == 0
        await bed.cycles(block.period - 1)
        rest, taken, shown = [0, 0], [0, 0], [{}, {}]
        for _ in range(int(bed.rng.integers(3 * block.period * block.inputs))):  # or leave some
            take = [not r and (eager or bed.rng.random() < 0.6) for r in rest]
            last = bed.rng.random(2) < 0.2
            bed.set(take=take[0] + 2 * take[1], last=last[0] + 2 * last[1])
            await bed.cycles()
            bed.set(take=0, last=int(bed.rng.integers(4)))
            await bed.settled()
            for side, name in enumerate(("largest", "smallest")):
                rest[side] = block.period - 1 if take[side] else max(rest[side] - 1, 0)
                if take[side]:
                    shown[side] = {"valid": int(taken[side] < length)}
                    if taken[side] < length:
                        position = int(order[side][taken[side]])
                        key = int(token[position])
                        shown[side] |= {"key": ~key if side else key, "position": position}
                        taken[side] += not last[side]
                got = bed.get(name)
                assert shown[side].items() <= got.items(), f"{name}: {got}, not {shown[side]}"
