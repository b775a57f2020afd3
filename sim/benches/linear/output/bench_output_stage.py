"""cocotb bench for OutputStage: layers of every number of outputs, scales that come late."""

from typing import Any

import cocotb
import numpy as np

from golden.exact.fp16 import is_finite
from golden.exact.output_scaling import scale_sums
from golden.exact.token_scale import Scale
from sim.kit.channels import load_channels
from sim.kit.codebooks import scale_word
from sim.kit.corners import finite
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

TOKENS = 8


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def outputs(dut, traffic: str) -> None:
    """Every output is the golden one; beats beyond N do not come."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    for count in (1, spec.outputs_max, *bed.rng.integers(1, spec.outputs_max, 4).tolist()):
        await bed.restart()
        bed.set(outputs=count)
        channels = Scale(bed.rng.integers(1024, 2048, count), bed.rng.integers(-24, -4, count))
        bias = finite(bed.rng, (count,))
        words = [{"bias": int(bias[n]), **scale_word(channels, n)} for n in range(count)]
        await load_channels(bed, words)
        scale = Scale(bed.rng.integers(1024, 2048, TOKENS), bed.rng.integers(-20, -6, TOKENS))
        limit = 1 << (spec.sum_bits - 1)
        sums = bed.rng.integers(-limit + 1, limit, (TOKENS, count)) >> bed.rng.integers(
            0, 12, (TOKENS, count)
        )
        words = [scale_word(scale, token) for token in range(TOKENS)]
        await bed.send_anew(traffic, i=tiles_of(bed, sums), scale_i=words)
        of_token = Scale(scale.mantissa[:, None], scale.exponent[:, None])
        y = scale_sums(sums, of_token, channels, bias)
        beats = -(-count // spec.scale_lanes)
        got = await bed.receive("o", TOKENS * beats)
        check(spec, got, y)
        if traffic == "free":
            check_timing(bed, count)


def tiles_of(bed: Testbed, sums: np.ndarray) -> list[Any]:
    """Return sums as tiles, padded with noise, some with their carry apart."""
    spec = bed.block.spec
    lanes, limit = spec.output_lanes, 1 << (spec.sum_bits - 1)
    pad = -sums.shape[1] % lanes
    noise = bed.rng.integers(-limit + 1, limit, (len(sums), pad))
    tiles = np.hstack([sums, noise]).reshape(-1, lanes)
    carry = bed.rng.integers(2, size=tiles.shape)
    rest = tiles - (carry << spec.carry_place)
    carry[rest < -limit] = 0  # the sum without its carry fits as well
    rest = tiles - (carry << spec.carry_place)
    return [
        [{"sum": part, "carry": bit} for part, bit in zip(*pair, strict=True)]
        for pair in zip(rest.tolist(), carry.tolist(), strict=True)
    ]


def check(spec: Any, got: list[dict[str, Any]], y: np.ndarray) -> None:
    """Compare every lane within the layer, the flags, and where tokens end."""
    lanes, count = spec.scale_lanes, y.shape[1]
    beats = -(-count // lanes)
    for n, beat in enumerate(got):
        token, group = divmod(n, beats)
        expected = y[token, group * lanes : (group + 1) * lanes]
        assert beat["lanes"][: len(expected)] == expected.tolist()
        infinite = sum(int(not ok) << lane for lane, ok in enumerate(is_finite(expected)))
        assert beat["infinite"] == infinite
        assert beat["last"] == (group == beats - 1)


def check_timing(bed: Testbed, count: int) -> None:
    """Compare with the stated latency and rate."""
    spec = bed.block.spec
    taken, valid = bed.sources["i"].taken_at, bed.sinks["o"].valid_at
    assert valid[0] - taken[0] == bed.latency
    if count == spec.outputs_max:
        steps = spec.output_lanes // spec.scale_lanes
        np.testing.assert_array_equal(np.diff(taken), steps + 1)
        np.testing.assert_array_equal(np.diff(np.reshape(valid, (-1, steps))), 1)
