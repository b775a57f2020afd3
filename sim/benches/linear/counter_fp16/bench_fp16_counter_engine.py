"""cocotb bench for Fp16CounterEngine: layers of all shapes, bit for bit as its golden model."""

import cocotb
import numpy as np

from golden.exact.fp16 import INFINITY, is_finite
from sim.kit.engine_bed import EngineBed
from sim.kit.random_layer import any_layer, random_layer, random_tokens


@cocotb.parametrize(traffic=["free", "slow_both"])
@cocotb.test(timeout_time=4, timeout_unit="ms")
async def layers(dut, traffic: str) -> None:
    """Run layer after layer; before, a reset in the middle of one."""
    bed = await EngineBed(dut).start()
    await bed.load(any_layer(bed.rng, bed.block.spec))
    bed.send("i", [0] * 1000)
    await bed.disturb()
    await bed.restart(traffic)
    usual = 0
    for n in range(2):
        layer = any_layer(bed.rng, bed.block.spec)
        x = random_tokens(bed.rng, 1 if n == 0 else 3, layer.inputs)
        x[1::4] &= 0xBFFF  # of the patterns of any size, none so large that all overflows
        usual += int(is_finite((await bed.check(layer, x)).y).sum())
    assert usual > 10, "nearly all outputs overflowed: that compares little"


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def not_numbers(dut) -> None:
    """Count NaN and infinity as zero, and raise the flag; the next layer clears it."""
    bed = await EngineBed(dut).start()
    for pattern in (INFINITY, 0xFC01):
        layer = any_layer(bed.rng, bed.block.spec, outputs=5)
        x = random_tokens(bed.rng, 2, layer.inputs)
        x[1, bed.rng.integers(layer.inputs)] = pattern
        await bed.check(layer, x)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def cycles(dut) -> None:
    """Take as long as the formula says, for layers that keep one branch or the other busy."""
    bed = await EngineBed(dut).start()
    spec = bed.block.spec
    most, block = spec.outliers_max, spec.group_channels * spec.slots
    shapes = [
        (spec.inputs_max, spec.outputs_max, 0),
        (spec.inputs_max, spec.outputs_max, 1),
        (spec.pairs + 1, block, 1),
        (spec.pairs, block + 1, most),
        (spec.pairs, spec.outputs_max - 1, most - 1),
        (most, 1, most),
        (spec.inputs_max - 1, block - spec.group_channels, 2),
    ]
    for inputs, outputs, k_top in shapes:
        layer = random_layer(bed.rng, spec.numbers, inputs=inputs, outputs=outputs, k_top=k_top)
        await bed.restart()
        await bed.check(layer, random_tokens(bed.rng, 1, inputs))
        taken, rows = bed.weights_at()
        assert len(taken) == spec.tiles(outputs) * -(-inputs // spec.pairs)
        assert len(rows) == 2 * k_top * -(-outputs // spec.group_channels)
        later = rows[0] - taken[0] if rows else 0
        expected = bed.block.cycles(inputs, outputs, k_top, later=later)
        assert bed.sinks["o"].taken_at[-1] - taken[0] + 1 == expected, (inputs, outputs, k_top)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def full_rate(dut) -> None:
    """Count a tile in ``steps`` cycles, or as many as its beats, across tokens."""
    bed = await EngineBed(dut).start()
    spec = bed.block.spec
    layer = any_layer(bed.rng, bed.block.spec, outputs=spec.outputs_max // 2, k_top=0)
    tokens, beats = 3, -(-layer.inputs // spec.pairs)
    await bed.check(layer, random_tokens(bed.rng, tokens, layer.inputs))
    ends = np.array(bed.sources["tile_weight_i"].taken_at)[beats - 1 :: beats]
    later = ends[len(ends) // tokens :]  # the first token is done before the second one is there
    np.testing.assert_array_equal(np.diff(later), max(spec.steps, beats))
