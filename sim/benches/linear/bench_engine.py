"""cocotb bench for every linear engine: layers of all shapes, bit for bit as the golden model."""

import os

import cocotb
import numpy as np

from gateware.points import point
from golden.exact.fp16 import INFINITY, MAX_FINITE, is_finite
from hw.linear.counter_fp16.fp16_counter_engine import Fp16CounterEngine
from hw.linear.lookup.lookup_engine import LookupEngine
from sim.kit import COMPONENT
from sim.kit.engine_testbed import EngineTestbed
from sim.kit.random_layer import any_layer, random_layer, random_tokens
from sim.kit.traffic import every_traffic

KIND = point(os.environ[COMPONENT]).kind
SPEC = getattr(point(os.environ[COMPONENT]).make(), "spec")  # noqa: B009
TOKEN_CYCLES = 500  # in which an engine of this size is done with a token or two
TOKENS = {LookupEngine: (1, 9, 9, 9, 9, 9), Fp16CounterEngine: (1, 3)}  # of successive layers


@every_traffic
@cocotb.test(timeout_time=4, timeout_unit="ms")
async def layers(dut, traffic: str) -> None:
    """Run layer after layer; before, a reset in the middle of one."""
    bed = await EngineTestbed(dut).start()
    is_fp16 = isinstance(bed.block, Fp16CounterEngine)
    await bed.load(any_layer(bed.rng, bed.block.spec))
    bed.send("i", [0] * 1000)
    await bed.disturb()
    await bed.restart(traffic)
    usual = 0
    for tokens in TOKENS.get(type(bed.block), (1, 4)):
        layer = any_layer(bed.rng, bed.block.spec)
        x = random_tokens(bed.rng, tokens, layer.inputs)
        if is_fp16:
            x[1::4] &= 0xBFFF  # of the patterns of any size, none so large that all overflows
        usual += int(is_finite((await bed.check(layer, x)).y).sum())
    assert usual > 10 or not is_fp16, "nearly all outputs overflowed: that compares little"


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def resets(dut) -> None:
    """Reset in any cycle while constants load or tokens run, in bursts: the next layer is right."""
    bed = await EngineTestbed(dut).start()
    for n in range(bed.resets):
        layer = any_layer(bed.rng, bed.block.spec)
        words = list(bed.contract.load_words(layer))
        runs = n % 2
        for wait in bed.burst(TOKEN_CYCLES if runs else len(words) + 1):
            if runs:
                await bed.load(layer)
                bed.send_tokens(random_tokens(bed.rng, 9, layer.inputs))
            else:
                bed.send("load_i", words)
            await bed.cycles(wait)
            await bed.restart()
        layer = any_layer(bed.rng, bed.block.spec)
        await bed.check(layer, random_tokens(bed.rng, 1, layer.inputs))


@every_traffic
@cocotb.test(timeout_time=4, timeout_unit="ms", skip=not getattr(SPEC, "together", None))
async def shares_tiles(dut, traffic: str) -> None:
    """Tokens that meet a tile together: each tile is asked for in their turn, and no other then."""
    bed = await EngineTestbed(dut).start()
    spec = bed.block.spec
    await bed.restart(traffic)
    for tokens in (1, 2, 3, spec.tokens_together):
        layer = any_layer(bed.rng, spec)
        asked = len(bed.sinks["weight_request_o"].items)
        x = random_tokens(bed.rng, tokens, layer.inputs)
        await bed.check(layer, x, together=tokens)
        tiles = [one["tile"] for one in bed.sinks["weight_request_o"].items[asked:]]
        beats = bed.contract.weight_beats(layer.inputs, spec.output_lanes, layer.k_top)
        order = np.arange(-(-layer.outputs // spec.output_lanes)).repeat(tokens * beats)
        np.testing.assert_array_equal(tiles, order)
    # One tile, and more tokens than are held.
    layer = any_layer(bed.rng, spec, outputs=spec.output_lanes - 1)
    await bed.check(layer, random_tokens(bed.rng, 2 * spec.tokens_together + 1, layer.inputs))


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def not_numbers(dut) -> None:
    """Count NaN and infinity as zero, and raise the flag; the next layer clears it."""
    bed = await EngineTestbed(dut).start()
    for patterns in ((INFINITY, 0x7E01), (INFINITY | 0x8000, 0xFC01)):
        layer = any_layer(bed.rng, bed.block.spec, outputs=5)
        x = random_tokens(bed.rng, 3, layer.inputs)
        x[1:, bed.rng.integers(layer.inputs)] = patterns
        await bed.check(layer, x)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def all_in_one(dut) -> None:
    """Compute tokens that consist of one activation: no outlier can be larger."""
    bed = await EngineTestbed(dut).start()
    layer = any_layer(bed.rng, bed.block.spec, k_top=1)
    x = np.zeros((4, layer.inputs), np.uint16)
    x[np.arange(4), bed.rng.integers(layer.inputs, size=4)] = (MAX_FINITE, 0xFBFF, 1, 0x8001)
    await bed.check(layer, x)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def cycles(dut) -> None:
    """Take as long as the formula says, for layers that keep one branch or the other busy."""
    bed = await EngineTestbed(dut).start()
    if isinstance(bed.block, LookupEngine):
        await largest_lookups(bed)
        return
    spec = bed.block.spec
    most, lanes = spec.outliers_max, spec.group_channels
    shapes = [
        (spec.inputs_max, spec.outputs_max, 0),
        (spec.inputs_max, spec.outputs_max, 1),
        (spec.pairs, spec.outputs_max - 1, most - 1),
        (most, 1, most),
    ]
    if isinstance(bed.block, Fp16CounterEngine):
        block = lanes * spec.slots
        shapes += [
            (spec.pairs + 1, block, 1),
            (spec.pairs, block + 1, most),
            (spec.inputs_max - 1, block - lanes, 2),
        ]
    else:
        shapes += [
            (spec.inputs_max, spec.outputs_max, most),
            (spec.pairs, spec.outputs_max, most),
            (spec.pairs + 1, lanes + 1, most),
            (spec.pairs, lanes, most // 2),
            (spec.inputs_max - 1, spec.outputs_max - 1, most - 1),
        ]
    for inputs, outputs, k_top in shapes:
        layer = random_layer(bed.rng, spec.numbers, inputs=inputs, outputs=outputs, k_top=k_top)
        await bed.restart()
        await bed.check(layer, random_tokens(bed.rng, 1, inputs))
        taken, rows = bed.weights_at()
        assert len(taken) == spec.tiles(outputs) * -(-inputs // spec.pairs)
        assert len(rows) == 2 * k_top * -(-outputs // lanes)
        later = rows[0] - taken[0] if rows else 0
        expected = bed.contract.alone(inputs, outputs, k_top, later=later)
        assert bed.sinks["o"].taken_at[-1] - taken[0] + 1 == expected, (inputs, outputs, k_top)
        bed.assert_lone_token(layer)


async def largest_lookups(bed: EngineTestbed) -> None:
    """Run the largest layer at full rate: one lookup beat a cycle, and a constant fill."""
    spec, tokens = bed.block.spec, 5
    for k_top in (0, 1):
        layer = random_layer(
            bed.rng, spec.numbers, inputs=spec.inputs_max, outputs=spec.outputs_max, k_top=k_top
        )
        await bed.restart()
        await bed.check(layer, random_tokens(bed.rng, tokens, layer.inputs))
        taken = np.reshape(bed.weights_at()[0], (tokens, -1))
        assert taken.shape[1] == bed.contract.weight_beats(layer.inputs, layer.outputs, k_top)
        np.testing.assert_array_equal(np.diff(taken, axis=1), 1)
        last = np.reshape(bed.sinks["o"].taken_at, (tokens, -1))[:, -1]
        alone = bed.contract.alone(layer.inputs, layer.outputs, k_top)
        np.testing.assert_array_equal(last - taken[:, 0] + 1, alone)
        if k_top == 0:  # so small an engine takes longer to build residual rows than to use them
            bed.assert_lone_token(layer)
            interval = bed.contract.cycles(layer.inputs, layer.outputs, k_top).interval
            waited = np.diff(taken[1:, 0])
            # Where the quantiser divides for the next token ahead of time it may be there earlier.
            assert (waited <= interval if spec.together else waited == interval).all(), waited


@cocotb.test(timeout_time=2, timeout_unit="ms", skip=KIND is not Fp16CounterEngine)
async def full_rate(dut) -> None:
    """Count a tile in ``steps`` cycles, or as many as its beats, across tokens."""
    bed = await EngineTestbed(dut).start()
    spec = bed.block.spec
    layer = any_layer(bed.rng, spec, outputs=spec.outputs_max // 2, k_top=0)
    tokens, beats = 3, -(-layer.inputs // spec.pairs)
    await bed.check(layer, random_tokens(bed.rng, tokens, layer.inputs))
    ends = np.array(bed.weights_at()[0])[beats - 1 :: beats]
    later = ends[len(ends) // tokens :]  # the first token is done before the second one is there
    np.testing.assert_array_equal(np.diff(later), max(spec.steps, beats))
