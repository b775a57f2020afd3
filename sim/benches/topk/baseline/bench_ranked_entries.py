"""cocotb bench for RankedEntries: ranks in any order, more of them than are sent."""

import cocotb

from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

ROUNDS = 20


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def sends_by_rank(dut, traffic: str) -> None:
    """Send the first k_top in the order of their ranks; then take the next ones."""
    bed = await Testbed(dut).start(traffic)
    spec, depth = bed.block.spec, bed.block.depth
    for n in range(ROUNDS):
        k_top = int(bed.rng.integers(spec.outliers_max + 1)) if n else 0
        entries = [
            {"key": int(key), "position": int(position)}
            for key, position in bed.rng.integers(0, spec.inputs_max, (depth, 2))
        ]
        bed.set(k_top=k_top)
        for rank in bed.rng.permutation(depth):
            await bed.pulse("write", rank=int(rank), entry=entries[rank])
        assert await bed.drained() == entries[:k_top]
        bed.set(drain=0)
        await bed.cycles()
