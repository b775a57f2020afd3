"""cocotb bench for Fp16OutputStage: every number of outputs, with outliers and without."""

import cocotb
import numpy as np

from golden.exact.counter_fp16 import combine
from sim.benches.linear.output.bench_output_stage import check, check_timing
from sim.kit.channels import load_channels
from sim.kit.corners import finite
from sim.kit.fp16_layers import tiles
from sim.kit.fp16_operands import patterns
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

TOKENS = 8


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
        w_scale, bias = finite(bed.rng, (count,)), finite(bed.rng, (count,))
        pairs = zip(w_scale.tolist(), bias.tolist(), strict=True)
        await load_channels(bed, [{"scale": scale, "bias": bias} for scale, bias in pairs])
        scale = finite(bed.rng, (TOKENS,))
        main = finite(bed.rng, (TOKENS, count))
        added = patterns(bed.rng, TOKENS * count).reshape(main.shape) * np.uint16(compensated)
        streams = {"i": tiles(spec, main), "scale_i": scale.tolist()}
        if compensated:
            streams["compensation_i"] = tiles(spec, added)
        await bed.send_anew(traffic, **streams)
        y = combine(main, scale[:, None], w_scale, added, bias)
        got = await bed.receive("o", TOKENS * -(-count // spec.scale_lanes))
        check(spec, got, y)
        if traffic == "free":
            check_timing(bed, count)
