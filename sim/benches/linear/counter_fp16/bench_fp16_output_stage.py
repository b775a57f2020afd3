"""cocotb bench for Fp16OutputStage: every number of outputs, with outliers and without."""

import cocotb
import numpy as np

from golden.exact.counter_fp16 import combine
from sim.benches.linear.output.bench_output_stage import check
from sim.kit.corners import finite
from sim.kit.fp16_layers import tiles
from sim.kit.fp16_operands import patterns
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

TOKENS = 8


async def load_channels(bed: Testbed, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Write random scales and biases of ``count`` output channels, in no order; return them."""
    scale, bias = finite(bed.rng, (count,)), finite(bed.rng, (count,))
    for n in bed.rng.permutation(count):
        channel = {"bias": int(bias[n]), "scale": int(scale[n])}
        bed.set(channel_en=1, channel_address=int(n), channel=channel)
        await bed.cycles()
    bed.set(channel_en=0)
    return scale, bias


@every_traffic
@cocotb.parametrize(compensated=[0, 1])
@cocotb.test(timeout_time=200, timeout_unit="us")
async def outputs(dut, traffic: str, compensated: int) -> None:
    """Every output is the golden one; beats beyond N do not come."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    for count in (1, spec.outputs_max, *bed.rng.integers(1, spec.outputs_max, 2).tolist()):
        await bed.restart()
        bed.set(outputs=count, compensated=compensated)
        w_scale, bias = await load_channels(bed, count)
        scale = finite(bed.rng, (TOKENS,))
        main = finite(bed.rng, (TOKENS, count))
        added = patterns(bed.rng, TOKENS * count).reshape(main.shape) * np.uint16(compensated)
        begin(bed, main, added, scale, compensated)
        await bed.disturb()
        await bed.restart(traffic)
        begin(bed, main, added, scale, compensated)
        y = combine(main, scale[:, None], w_scale, added, bias)
        got = await bed.receive("o", TOKENS * -(-count // spec.scale_lanes))
        check(spec, got, y)
        if traffic == "free":
            check_timing(bed, count)


def begin(
    bed: Testbed, main: np.ndarray, added: np.ndarray, scale: np.ndarray, compensated: int
) -> None:
    """Send tiles of both branches, or of the main one alone, and scales."""
    bed.send("i", tiles(bed.block.spec, main))
    if compensated:
        bed.send("compensation_i", tiles(bed.block.spec, added))
    bed.send("scale_i", scale.tolist())


def check_timing(bed: Testbed, count: int) -> None:
    """Compare with the stated latency and rate."""
    spec = bed.block.spec
    taken, valid = bed.sources["i"].taken_at, bed.sinks["o"].valid_at
    assert valid[0] - taken[0] == bed.block.LATENCY
    if count == spec.outputs_max:
        steps = spec.output_lanes // spec.scale_lanes
        np.testing.assert_array_equal(np.diff(taken), steps + 1)
        np.testing.assert_array_equal(np.diff(np.reshape(valid, (-1, steps))), 1)
