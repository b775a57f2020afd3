"""cocotb bench for TileSequencer and CompensationSequencer: layers of every shape."""

import cocotb

from hw.linear.counter.tile_sequencer import TileSequencer
from sim.kit.counting import compensation_beats, counting_beats
from sim.kit.lookups import random_shape
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, Pauses, every_traffic

TOKENS = 4


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def steps_through(dut, traffic: str) -> None:
    """Beats come in order while there is a token; a reset begins with a token's first."""
    bed = await Testbed(dut).start()
    tiles = isinstance(bed.block, TileSequencer)
    order = counting_beats if tiles else compensation_beats
    for n in range(10):
        shape = random_shape(bed.rng, bed.block.spec) | ({"k_top": 0} if n == 3 else {})
        bed.set(shape=shape, available=1)
        await bed.disturb()
        bed.set(available=0)
        await bed.restart(traffic)
        expected = list(order(bed.block.spec, shape)) * TOKENS
        pause = Pauses(bed.rng.spawn(1)[0], TRAFFIC[traffic].source_stall)
        left, available = TOKENS, False
        while left:
            # A token that is there stays until it is released.
            available = available or not pause()
            bed.set(available=int(available))
            await bed.settled()
            taken = bed.port("o__valid") & bed.port("o__ready")
            done = taken and bed.item("o")["token_last"]
            if not tiles:
                done = done or bool(available and shape["k_top"] == 0)
                assert bed.get("done") == done
            if done:
                left, available = left - 1, False
            await bed.cycles()
        bed.set(available=0)
        if not expected:
            assert not bed.sinks["o"].items
            continue
        assert await bed.receive("o", len(expected)) == expected
        if traffic == "free":
            at = bed.sinks["o"].taken_at
            assert at[-1] - at[0] == len(expected) - 1
