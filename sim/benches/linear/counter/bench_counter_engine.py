"""cocotb bench for CounterEngine: layers of all shapes, bit for bit as the golden model."""

from dataclasses import replace

import cocotb

from golden.exact.fp16 import INFINITY
from sim.kit.engine_bed import EngineBed
from sim.kit.random_layer import any_layer, random_layer, random_tokens
from sim.kit.traffic import every_traffic


@every_traffic
@cocotb.test(timeout_time=4, timeout_unit="ms")
async def layers(dut, traffic: str) -> None:
    """Run layer after layer; before, a reset in the middle of one."""
    bed = await EngineBed(dut).start()
    layer = any_layer(bed.rng, bed.block.spec)
    await bed.load(layer)
    bed.send("i", [0] * 1000)
    await bed.disturb()
    await bed.restart(traffic)
    for tokens in (1, 4):
        layer = any_layer(bed.rng, bed.block.spec)
        await bed.check(layer, random_tokens(bed.rng, tokens, layer.inputs))


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def not_numbers(dut) -> None:
    """Count NaN and infinity as zero, and raise the flag; the next layer clears it."""
    bed = await EngineBed(dut).start()
    for pattern in (INFINITY | 0x8000, 0x7E01):
        layer = any_layer(bed.rng, bed.block.spec)
        x = random_tokens(bed.rng, 2, layer.inputs)
        x[1, bed.rng.integers(layer.inputs)] = pattern
        await bed.check(layer, x)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def saturation(dut) -> None:
    """Flag a residual beyond its digits: a scale made far too small."""
    bed = await EngineBed(dut).start()
    layer = any_layer(bed.rng, bed.block.spec)
    layer = replace(layer, k_top=1, factor=replace(layer.factor, exponent=-40))
    await bed.check(layer, random_tokens(bed.rng, 3, layer.inputs))
    assert bed.flags()["saturated"]


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def cycles(dut) -> None:
    """Take as long as the formula says, for layers that keep one branch or the other busy."""
    bed = await EngineBed(dut).start()
    spec = bed.block.spec
    most = spec.outliers_max
    shapes = [
        (spec.inputs_max, spec.outputs_max, 0),
        (spec.inputs_max, spec.outputs_max, 1),
        (spec.inputs_max, spec.outputs_max, most),
        (spec.pairs, spec.outputs_max, most),
        (spec.pairs + 1, spec.group_channels + 1, most),
        (spec.pairs, spec.group_channels, most // 2),
        (spec.inputs_max - 1, spec.outputs_max - 1, most - 1),
        (most, 1, most),
    ]
    for inputs, outputs, k_top in shapes:
        layer = random_layer(bed.rng, spec.numbers, inputs=inputs, outputs=outputs, k_top=k_top)
        await bed.restart()
        await bed.check(layer, random_tokens(bed.rng, 1, inputs))
        taken, rows = bed.weights_at()
        assert len(taken) == spec.tiles(outputs) * -(-inputs // spec.pairs)
        assert len(rows) == spec.compensation_cycles(outputs, 2 * k_top)
        later = rows[0] - taken[0] if rows else 0
        expected = bed.block.cycles(inputs, outputs, k_top, later=later)
        assert bed.sinks["o"].taken_at[-1] - taken[0] + 1 == expected, (inputs, outputs, k_top)
