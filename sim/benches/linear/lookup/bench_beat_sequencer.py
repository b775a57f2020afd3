"""cocotb bench for BeatSequencer: layers of every shape, tokens that come late."""

import cocotb

from sim.kit.lookups import random_shape, token_beats
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, Pauses, every_traffic

TOKENS = 4


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def steps_through(dut, traffic: str) -> None:
    """Beats come in order while there is a token; a reset begins with a token's first."""
    bed = await Testbed(dut).start()
    for _ in range(10):
        shape = random_shape(bed.rng, bed.block.spec)
        bed.set(shape=shape, available=1)
        await bed.disturb()
        bed.set(available=0)
        await bed.restart(traffic)
        expected = token_beats(bed.block.spec, shape) * TOKENS
        pause = Pauses(bed.rng.spawn(1)[0], TRAFFIC[traffic].source_stall)
        left, available = TOKENS, False
        while left:
            # A token that is there stays until it is released.
            available = available or not pause()
            bed.set(available=int(available))
            await bed.settled()
            taken = bed.port("o__valid") & bed.port("o__ready")
            if taken and bed.item("o")["token_last"]:
                left, available = left - 1, False
            await bed.cycles()
        bed.set(available=0)
        assert await bed.receive("o", len(expected)) == expected
        if traffic == "free":
            at = bed.sinks["o"].taken_at
            assert at[-1] - at[0] == len(expected) - 1
