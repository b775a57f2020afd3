"""cocotb bench for Fp16CounterEngine: layers of all shapes, bit for bit as its golden model."""

import cocotb
import numpy as np

from golden import counter_fp16
from golden.fp16 import INFINITY, BitArray, is_finite
from golden.linear import QuantizedLinear, forward
from sim.bed.fp16_counter_bed import Fp16CounterBed
from sim.bed.random_layer import random_layer, random_tokens
from sim.bed.traffic import every_traffic


def any_layer(bed: Fp16CounterBed, outputs: int = 0, k_top: int | None = None) -> QuantizedLinear:
    """Return a layer of a random shape, not a multiple of the lanes as a rule."""
    spec = bed.block.spec
    inputs = int(bed.rng.integers(1, spec.inputs_max, endpoint=True))
    most = min(spec.outliers_max, inputs)
    return random_layer(
        bed.rng,
        spec.numbers,
        inputs=inputs,
        outputs=outputs or int(bed.rng.integers(1, spec.outputs_max, endpoint=True)),
        k_top=int(bed.rng.integers(0, most, endpoint=True)) if k_top is None else min(k_top, most),
        activation_bits=int(bed.rng.integers(2, 5)),
        weight_bits=int(bed.rng.integers(2, 5)),
    )


async def check(bed: Fp16CounterBed, layer: QuantizedLinear, x: BitArray) -> BitArray:
    """Load a layer, run tokens, compare every bit, and the flags; return the outputs."""
    await bed.load(layer)
    await bed.cycles()
    assert not any(bed.flags().values()), "flags of a layer that has not run"
    integers = forward(layer, x)
    expected = counter_fp16.forward(layer, x, integers)
    np.testing.assert_array_equal(await bed.run(x), expected.y)
    assert bed.flags() == {
        "nonfinite": integers.nonfinite.any(),
        "saturated": 0,
        "overflow": expected.overflow.any(),
    }
    assert bed.get("idle")
    return expected.y


@every_traffic
@cocotb.test(timeout_time=4, timeout_unit="ms")
async def layers(dut, traffic: str) -> None:
    """Run layer after layer; before, a reset in the middle of one."""
    bed = await Fp16CounterBed(dut).start()
    await bed.load(any_layer(bed))
    bed.send("i", [0] * 1000)
    await bed.disturb()
    await bed.restart(traffic)
    usual = 0
    for n in range(4):
        layer = any_layer(bed)
        y = await check(bed, layer, random_tokens(bed.rng, 1 if n == 0 else 5, layer.inputs))
        usual += int(is_finite(y).sum())
    assert usual > 50, "nearly all outputs overflowed: that compares little"


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def not_numbers(dut) -> None:
    """Count NaN and infinity as zero, and raise the flag; the next layer clears it."""
    bed = await Fp16CounterBed(dut).start()
    for pattern in (INFINITY, 0xFC01):
        layer = any_layer(bed)
        x = random_tokens(bed.rng, 3, layer.inputs)
        x[1, bed.rng.integers(layer.inputs)] = pattern
        await check(bed, layer, x)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def full_rate(dut) -> None:
    """Count a tile in ``steps`` cycles, or as many as its beats, and have a constant fill."""
    bed = await Fp16CounterBed(dut).start()
    spec = bed.block.spec
    layer = any_layer(bed, outputs=spec.outputs_max, k_top=0)
    tokens = 3
    await check(bed, layer, random_tokens(bed.rng, tokens, layer.inputs))
    beats = -(-layer.inputs // spec.pairs)
    taken = np.array(bed.sources["tile_weight_i"].taken_at).reshape(tokens, -1, beats)
    ends = taken[:, :, -1]
    np.testing.assert_array_equal(np.diff(ends, axis=1), max(spec.steps, beats))
    last = np.array(bed.sinks["o"].taken_at).reshape(tokens, -1)[:, -1]
    np.testing.assert_array_equal(last - ends[:, -1], bed.block.fill)
