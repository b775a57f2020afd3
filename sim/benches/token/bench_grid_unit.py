"""cocotb bench for GridUnit: scales of all sizes, activations up to the largest ratios."""

import cocotb

from golden.exact.grid import GRID, RECIPROCAL_DROP, grid_index
from golden.exact.mapping import index_code
from golden.exact.residual import reciprocal
from sim.kit.codebooks import near_scale, random_scales
from sim.kit.testbed import Testbed

TOKENS, ACTIVATIONS = 40, 60


@cocotb.test(timeout_time=100, timeout_unit="us")
async def nearest_step(dut) -> None:
    """Every activation gets the code of its step, some cycles later."""
    bed = await Testbed(dut).start()
    seen = set()
    for scale in random_scales(bed.rng, TOKENS):
        x = near_scale(bed.rng, scale, ACTIVATIONS, most=int(bed.rng.choice([8, 400, 16384])))
        word = int(reciprocal(scale.mantissa)[0]) >> RECIPROCAL_DROP
        bed.set(measure={"reciprocal": word, "exponent": int(scale.exponent[0])})
        expected = index_code(grid_index(x[None], scale)[0], len(GRID), symmetric=True, bits=8)
        got = []
        for n, pattern in enumerate([*x.tolist(), *[0] * (bed.block.latency - 1)]):
            bed.set(activation=pattern)
            await bed.cycles()
            await bed.settled()
            if n >= bed.block.latency - 1:
                got.append(bed.get("code"))
        assert got == expected.tolist()
        seen |= set(got)
    assert len(seen) > 100, f"only {len(seen)} codes came out"
