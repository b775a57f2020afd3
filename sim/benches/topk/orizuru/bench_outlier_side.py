"""cocotb bench for OutlierSide: beats as the engine feeds them, what is furthest out comes out."""

import cocotb

from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

TOKENS = 25


async def feed(bed: Testbed, token: list[int]) -> None:
    """Show a token's beats one after another, each until it is done."""
    lanes = bed.block.spec.values_per_beat
    noise = [int(key) for key in bed.rng.integers(-9, 9, lanes)]
    keys = noise
    for number, start in enumerate(range(0, len(token), lanes)):
        beat = token[start : start + lanes]
        beat = [*beat, *noise[len(beat) :]]
        while True:
            bed.set(keys=keys, following=keys, load=0)
            await bed.settled()
            if bed.get("done"):
                break
            await bed.cycles()
        mask = (1 << min(lanes, len(token) - start)) - 1
        bed.set(following=beat, mask=mask, load=1)
        await bed.cycles()
        keys = beat
        bed.set(keys=keys, following=keys, number=number, load=0)
    await bed.until("settled")


@every_traffic
@cocotb.test(timeout_time=400, timeout_unit="us")
async def keeps_the_furthest(dut, traffic: str) -> None:
    """Of equal keys the lower position first, whatever k_top; reset leaves nothing."""
    bed = await Testbed(dut).start(traffic)
    spec = bed.block.spec
    for n in range(TOKENS):
        spread = (2, 1 << 15)[n % 2]
        token = bed.rng.integers(-spread, spread, int(bed.rng.integers(1, spec.inputs_max + 1)))
        k_top = int(bed.rng.integers(0, min(spec.outliers_max, len(token)) + 1))
        bed.set(k_top=k_top)
        await feed(bed, token.tolist())
        got = await bed.drained()
        await bed.pulse("clear")
        bed.set(drain=0)
        await bed.cycles()
        sign = -1 if bed.block.largest else 1
        order = sorted(range(len(token)), key=lambda p: (sign * token[p], p))[:k_top]
        order = order[::-1] if bed.block.reverse else order
        assert got == [{"key": int(token[p]), "position": p} for p in order]
        if n == TOKENS // 2:
            await feed(bed, token.tolist())
            await bed.restart(traffic)
