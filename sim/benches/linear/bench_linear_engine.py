"""cocotb bench for LinearEngine: layers of all shapes, bit for bit as the golden model."""

from dataclasses import replace

import cocotb
import numpy as np

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
    for n in range(6):
        layer = any_layer(bed.rng, bed.block.spec)
        await bed.check(layer, random_tokens(bed.rng, 1 if n == 0 else 9, layer.inputs))


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def not_numbers(dut) -> None:
    """Count NaN and infinity as zero, and raise the flag; the next layer clears it."""
    bed = await EngineBed(dut).start()
    for pattern in (INFINITY, INFINITY | 0x8000, 0x7E01, 0xFC01):
        layer = any_layer(bed.rng, bed.block.spec)
        x = random_tokens(bed.rng, 3, layer.inputs)
        x[1, bed.rng.integers(layer.inputs)] = pattern
        await bed.check(layer, x)


@cocotb.parametrize(k_top=[0, 1])
@cocotb.test(timeout_time=2, timeout_unit="ms")
async def largest(dut, k_top: int) -> None:
    """Run the largest layer at full rate: one lookup beat a cycle, and a constant fill."""
    bed = await EngineBed(dut).start()
    spec = bed.block.spec
    layer = random_layer(
        bed.rng, spec.numbers, inputs=spec.inputs_max, outputs=spec.outputs_max, k_top=k_top
    )
    tokens, beats = 5, bed.contract.weight_beats(layer.inputs, layer.outputs, k_top)
    await bed.check(layer, random_tokens(bed.rng, tokens, layer.inputs))
    taken = np.array(bed.sources["weight_i"].taken_at).reshape(tokens, beats)
    np.testing.assert_array_equal(np.diff(taken, axis=1), 1)
    last = np.array(bed.sinks["o"].taken_at).reshape(tokens, -1)[:, -1]
    np.testing.assert_array_equal(last - taken[:, -1], bed.block.fill)
    if k_top == 0:  # so small an engine takes longer to build residual rows than to use them
        # With 16 thresholds to prepare, the quantiser can be what takes longest.
        quantizer = bed.block.quantizer.preparation + -(-layer.inputs // spec.inputs_per_beat) + 3
        np.testing.assert_array_equal(np.diff(taken[1:, 0]), max(beats, quantizer))


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def saturation(dut) -> None:
    """Flag a residual beyond its digits: a scale made far too small."""
    bed = await EngineBed(dut).start()
    layer = any_layer(bed.rng, bed.block.spec)
    layer = replace(layer, k_top=1, factor=replace(layer.factor, exponent=-40))
    await bed.check(layer, random_tokens(bed.rng, 3, layer.inputs))
    assert bed.flags()["saturated"]
