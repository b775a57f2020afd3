"""cocotb bench for Fp16CompensationSequencer: layers of every shape, tokens that come late."""

import cocotb

from sim.kit.fp16_layers import compensation_beats, random_size
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, Pauses, every_traffic

TOKENS = 4


@every_traffic
@cocotb.test(timeout_time=200, timeout_unit="us")
async def steps_through(dut, traffic: str) -> None:
    """Beats come in order while there is a token; a reset begins with a token's first."""
    bed = await Testbed(dut).start()
    for _ in range(8):
        shape = random_size(bed.rng, bed.block.spec)
        bed.set(shape=shape, available=1)
        await bed.disturb()
        bed.set(available=0)
        await bed.restart(traffic)
        expected = list(compensation_beats(bed.block.spec, shape)) * TOKENS
        pause = Pauses(bed.rng.spawn(1)[0], TRAFFIC[traffic].source_stall)
        left, available = TOKENS, False
        while left:
            available = available or not pause()
            bed.set(available=int(available))
            await bed.settled()
            taken = bed.port("o__valid") & bed.port("o__ready")
            done = bed.get("done")
            assert done == (taken and bed.item("o")["token_last"])
            if done:
                left, available = left - 1, False
            await bed.cycles()
        bed.set(available=0)
        assert await bed.receive("o", len(expected)) == expected
        if traffic == "free":
            at = bed.sinks["o"].taken_at
            assert at[-1] - at[0] == len(expected) - 1


@cocotb.test(timeout_time=10, timeout_unit="us")
async def nothing_to_do(dut) -> None:
    """Release a token without outliers at once, without a beat."""
    bed = await Testbed(dut).start()
    bed.set(shape=random_size(bed.rng, bed.block.spec) | {"k_top": 0})
    for available in (0, 1, 1, 0):
        bed.set(available=available)
        await bed.settled()
        assert (bed.get("done"), bed.port("o__valid")) == (available, 0)
        await bed.cycles()
