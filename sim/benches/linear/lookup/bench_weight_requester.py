"""cocotb bench for WeightRequester: the channels of every beat, outliers' among them."""

from typing import Any

import cocotb

from sim.kit.buffers import ServedBuffer
from sim.kit.clock import cycle
from sim.kit.lookups import random_shape, token_beats
from sim.kit.testbed import Testbed
from sim.kit.tokens import joined
from sim.kit.traffic import TRAFFIC, every_traffic

TOKENS = 4


def wanted(bed: Testbed, shape: dict[str, int], positions: list[int]) -> list[dict[str, Any]]:
    """Return one token's requests; None stands for a channel that does not matter."""
    lanes = bed.block.spec.inputs_per_beat
    requests = []
    for beat in token_beats(bed.block.spec, shape):
        base = beat["address"] * lanes
        channels = positions[base:] if beat["compensation"] else range(base, shape["inputs"])
        used = beat["mask"].bit_length()
        request = {"tile": beat["tile"], "outliers": beat["compensation"]}
        requests.append({**request, "channels": list(channels)[:used]})
    return requests


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def requests(dut, traffic: str) -> None:
    """Each beat names its tile and channels; every token is released once."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    lanes = spec.inputs_per_beat
    for _ in range(8):
        shape = random_shape(bed.rng, spec)
        tokens = [
            bed.rng.integers(shape["inputs"], size=2 * shape["k_top"]).tolist()
            for _ in range(TOKENS)
        ]
        words = [
            [
                joined(token[start : start + lanes], spec.position_bits)
                for start in range(0, len(token), lanes)
            ]
            for token in tokens
        ]
        await bed.restart()
        bed.set(shape=shape)
        ServedBuffer(bed, "positions", words)
        await bed.disturb()
        await bed.restart(traffic)
        stall = TRAFFIC[traffic].source_stall
        began = cycle()
        served = ServedBuffer(bed, "positions", words, stall=stall)
        expected = [request for token in tokens for request in wanted(bed, shape, token)]
        got = await bed.receive("o", len(expected))
        for request, should in zip(got, expected, strict=True):
            assert request["tile"] == should["tile"]
            assert request["outliers"] == should["outliers"]
            assert request["channels"][: len(should["channels"])] == should["channels"]
        assert served.released == TOKENS
        if traffic == "free":
            at = bed.sinks["o"].taken_at
            assert at[0] - began == bed.block.LATENCY
            assert at[-1] - at[0] == len(expected) - 1
