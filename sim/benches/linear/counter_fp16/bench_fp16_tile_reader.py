"""cocotb bench for Fp16TileReader: layers of every number of outputs, blocks that come late."""

from typing import Any

import cocotb
import numpy as np

from sim.kit.buffers import ServedBuffer
from sim.kit.clock import cycle
from sim.kit.fp16_layers import assert_tiles
from sim.kit.testbed import Testbed
from sim.kit.tokens import joined
from sim.kit.traffic import TRAFFIC, every_traffic

TOKENS = 3


def blocks(spec: Any, sums: np.ndarray) -> list[list[int]]:
    """Return the words of each block of sums (T, N); numbers beyond N are zero."""
    found = []
    for token in sums:
        padded = np.pad(token, (0, -len(token) % spec.group_channels))
        words = [joined(group.tolist(), 16) for group in padded.reshape(-1, spec.group_channels)]
        found += [words[start : start + spec.slots] for start in range(0, len(words), spec.slots)]
    return found


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def hands_out(dut, traffic: str) -> None:
    """Every tile within the layer comes once, and every block is released once."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    for outputs in (1, spec.outputs_max, *bed.rng.integers(1, spec.outputs_max, 4).tolist()):
        sums = bed.rng.integers(1 << 16, size=(TOKENS, outputs))
        words = blocks(spec, sums)
        await bed.restart()
        bed.set(outputs=outputs)
        ServedBuffer(bed, "blocks", words)
        await bed.disturb()
        await bed.restart(traffic)
        began = cycle()
        served = ServedBuffer(bed, "blocks", words, stall=TRAFFIC[traffic].source_stall)
        tiles = TOKENS * -(-outputs // spec.output_lanes)
        assert_tiles(spec, await bed.receive("o", tiles), sums)
        assert served.released == len(words)
        if traffic == "free":
            at = bed.sinks["o"].taken_at
            assert at[0] - began == bed.block.LATENCY
            if outputs == spec.outputs_max:
                groups = TOKENS * outputs // spec.group_channels
                assert at[-1] - at[0] == tiles - 1 + groups - 1
