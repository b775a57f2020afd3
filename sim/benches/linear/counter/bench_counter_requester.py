"""cocotb bench for TileRequester and both row requesters: what each beat wants."""

from typing import Any

import cocotb

from hw.linear.counter.tile_requester import TileRequester
from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec
from sim.kit import fp16_layers
from sim.kit.buffers import ServedBuffer
from sim.kit.clock import cycle
from sim.kit.counting import compensation_beats, counting_beats
from sim.kit.lookups import random_shape
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic

TOKENS = 4


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def requests(dut, traffic: str) -> None:
    """Each beat names its weights; every token is asked for once."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    tiles = isinstance(bed.block, TileRequester)
    for n in range(8):
        shape = random_shape(bed.rng, spec) | ({"k_top": 0} if n == 3 else {})
        outliers = bed.rng.integers(shape["inputs"], size=(TOKENS, 2 * shape["k_top"])).tolist()
        expected: list[dict[str, Any]] = []
        for token in outliers:
            if tiles:
                beats = counting_beats(spec, shape)
                expected += [{name: beat[name] for name in ("tile", "address")} for beat in beats]
            else:
                fp16 = isinstance(spec, Fp16CounterSpec)
                beats = (fp16_layers.compensation_beats if fp16 else compensation_beats)(
                    spec, shape
                )
                expected += [
                    {"group": beat["group"], "channel": token[beat["address"]]} for beat in beats
                ]
        await bed.restart()
        bed.set(shape=shape)
        if tiles:
            await bed.pulse("prepared")
        else:
            ServedBuffer(bed, "positions", outliers)
        await bed.disturb()
        await bed.restart(traffic)
        began = cycle()
        if tiles:
            await prepare(bed, len(expected) // TOKENS)
        stall = TRAFFIC[traffic].source_stall
        served = None if tiles else ServedBuffer(bed, "positions", outliers, stall=stall)
        if expected:
            await bed.expect("o", expected)
        else:
            await bed.cycles(200)
            assert not bed.sinks["o"].items
        assert served is None or served.released == TOKENS
        if traffic == "free" and expected:
            assert bed.sinks["o"].valid_at[0] - began == bed.block.LATENCY


async def prepare(bed: Testbed, beats: int) -> None:
    """Say that a token is there, time and again; two wait at most."""
    sink = bed.sinks["o"]
    for token in range(TOKENS):
        while len(sink.items) < (token - 1) * beats:
            await bed.cycles()
        await bed.pulse("prepared")
