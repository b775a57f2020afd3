"""cocotb bench for CounterEngine: layers of all shapes, bit for bit as the golden model."""

from dataclasses import replace

import cocotb
import numpy as np

from golden.fp16 import INFINITY, BitArray
from golden.linear import QuantizedLinear, forward
from sim.bed.counter_bed import CounterBed
from sim.bed.random_layer import random_layer, random_tokens
from sim.bed.traffic import every_traffic


def any_layer(bed: CounterBed) -> QuantizedLinear:
    """Return a layer of a random shape, not a multiple of the lanes as a rule."""
    spec = bed.block.spec
    inputs = int(bed.rng.integers(1, spec.inputs_max, endpoint=True))
    return random_layer(
        bed.rng,
        spec.numbers,
        inputs=inputs,
        outputs=int(bed.rng.integers(1, spec.outputs_max, endpoint=True)),
        k_top=int(bed.rng.integers(0, min(spec.outliers_max, inputs), endpoint=True)),
        activation_bits=int(bed.rng.integers(2, 5)),
        weight_bits=int(bed.rng.integers(2, 5)),
    )


async def check(bed: CounterBed, layer: QuantizedLinear, x: BitArray) -> None:
    """Load a layer, run tokens, and compare every bit, and the flags."""
    await bed.load(layer)
    await bed.cycles()
    assert not any(bed.flags().values()), "flags of a layer that has not run"
    expected = forward(layer, x)
    np.testing.assert_array_equal(await bed.run(x), expected.y)
    assert bed.flags() == {
        "nonfinite": expected.nonfinite.any(),
        "saturated": expected.saturated.any(),
        "overflow": expected.overflow.any(),
    }
    assert bed.get("idle")


@every_traffic
@cocotb.test(timeout_time=4, timeout_unit="ms")
async def layers(dut, traffic: str) -> None:
    """Run layer after layer; before, a reset in the middle of one."""
    bed = await CounterBed(dut).start()
    layer = any_layer(bed)
    await bed.load(layer)
    bed.send("i", [0] * 1000)
    await bed.disturb()
    await bed.restart(traffic)
    for n in range(5):
        layer = any_layer(bed)
        await check(bed, layer, random_tokens(bed.rng, 1 if n == 0 else 5, layer.inputs))


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def not_numbers(dut) -> None:
    """Count NaN and infinity as zero, and raise the flag; the next layer clears it."""
    bed = await CounterBed(dut).start()
    for pattern in (INFINITY, INFINITY | 0x8000, 0x7E01, 0xFC01):
        layer = any_layer(bed)
        x = random_tokens(bed.rng, 3, layer.inputs)
        x[1, bed.rng.integers(layer.inputs)] = pattern
        await check(bed, layer, x)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def saturation(dut) -> None:
    """Flag a residual beyond its digits: a scale made far too small."""
    bed = await CounterBed(dut).start()
    layer = any_layer(bed)
    layer = replace(layer, k_top=1, factor=replace(layer.factor, exponent=-40))
    await check(bed, layer, random_tokens(bed.rng, 3, layer.inputs))
    assert bed.flags()["saturated"]
