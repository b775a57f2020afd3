"""cocotb bench for OrizuruControl: every take at its time, whoever pauses."""

import cocotb

from sim.kit.testbed import Testbed

TOKENS = 60


@cocotb.test(timeout_time=400, timeout_unit="us")
async def takes_k_top_of_each_side(dut) -> None:
    """See the first take at its time, then one each period, or as soon as there is room."""
    bed = await Testbed(dut).start()
    block = bed.block
    for n in range(TOKENS):
        k_top = (
            (0, 1, block.outliers_max)[n]
            if n < 3
            else int(bed.rng.integers(block.outliers_max + 1))
        )
        bed.set(k_top=k_top, complete=1, ready=3)
        await bed.settled()
        assert bed.get("idle")
        await bed.cycles()
        bed.set(complete=0)
        stop = n == TOKENS // 2  # a reset in the middle
        await follow(bed, k_top, (1.0, 0.4)[n % 2], cycles=block.first + 2 if stop else None)
        if stop:
            await bed.restart()


async def follow(bed: Testbed, k_top: int, willing: float, cycles: int | None) -> None:
    """Compare each cycle from the one after ``complete`` with what the docstring says."""
    block = bed.block
    taken, due = [0, 0], [block.first] * 2
    full = [False, False]
    now = 0
    while now != cycles:
        ready = [bed.rng.random() < willing for _ in range(2)]
        bed.set(ready=ready[0] + 2 * ready[1])
        await bed.settled()
        assert bed.get("age") == (k_top > 0 and now < block.first) << now
        assert bed.get("valid") == full[0] + 2 * full[1]
        take = [
            taken[side] < k_top and now >= due[side] and (ready[side] or not full[side])
            for side in range(2)
        ]
        assert bed.get("take") == take[0] + 2 * take[1]
        for side in range(2):
            if take[side]:
                taken[side] += 1
                assert bed.get("last") >> side & 1 == (taken[side] == k_top)
                due[side] = now + block.period
        idle = taken == [k_top, k_top] and not any(take)
        assert bed.get("idle") == idle
        await bed.cycles()
        if idle and not any(full):
            return
        full = [take[side] or (full[side] and not ready[side]) for side in range(2)]
        now += 1
