"""cocotb bench for all sequencers: layers of every shape, tokens that come late."""

import cocotb

from hw.linear.counter.compensation_sequencer import CompensationSequencer
from hw.linear.counter.tile_sequencer import TileSequencer
from hw.linear.counter_fp16.fp16_compensation_sequencer import Fp16CompensationSequencer
from hw.linear.lookup.beat_sequencer import BeatSequencer
from sim.kit import fp16_layers
from sim.kit.counting import compensation_beats, counting_beats
from sim.kit.lookups import random_shape, token_beats
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic

TOKENS = 4
ORDER = {
    BeatSequencer: token_beats,
    TileSequencer: counting_beats,
    CompensationSequencer: compensation_beats,
    Fp16CompensationSequencer: fp16_layers.compensation_beats,
}


def is_last(beat: dict[str, int]) -> bool:
    """Return whether a beat is a token's last."""
    return bool(beat["done"] if "done" in beat else beat["token_last"])


@every_traffic
@cocotb.test(timeout_time=200, timeout_unit="us")
async def steps_through(dut, traffic: str) -> None:
    """Beats come in order while there is a token; a reset begins with a token's first."""
    bed = await Testbed(dut).start()
    order = ORDER[type(bed.block)]
    for n in range(10):
        shape = random_shape(bed.rng, bed.block.spec) | ({"k_top": 0} if n == 3 else {})
        bed.set(shape=shape, available=1)
        await bed.disturb()
        bed.set(available=0)
        await bed.restart(traffic)
        expected = list(order(bed.block.spec, shape)) * TOKENS
        stall = TRAFFIC[traffic].source_stall
        await bed.offer(TOKENS, stall, lambda: is_last(bed.item("o")), empty=not expected)
        if not expected:
            assert not bed.sinks["o"].items
            continue
        await bed.expect("o", expected)
        if traffic == "free":
            bed.check_gapless("o")
