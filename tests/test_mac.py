"""Baseline arrays: golden sums, sizes, and the formula of their cycles."""

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from golden.exact.fp16 import to_bits
from golden.exact.mac import fp16_sums, group_scaled_sums, half_odd, integer_sums
from hw.baseline.group_scaler import GroupScaler
from hw.baseline.integer_accumulator import IntegerAccumulator
from hw.baseline.lanes import make_lane, make_operands
from hw.baseline.mac_spec import LANE_CYCLES, SHAPES, MacSpec


def spec(arithmetic: str = "int4", **changes) -> MacSpec:
    sizes = dict(inputs_per_beat=16, output_lanes=16, inputs_max=4096)
    return MacSpec(arithmetic=arithmetic, **(sizes | changes))


def test_integer_sums_by_hand() -> None:
    x, w = np.array([7, -7, 2]), np.array([[7, 1], [-8, 0], [3, -5]])
    assert integer_sums(x, w).tolist() == [111, -3]


def test_negative_centroids_are_complements() -> None:
    magnitudes = np.array([0, 3, 10, 20, 40, 60, 90, 127])
    twice = half_odd(np.arange(16), magnitudes)
    assert twice[:8].tolist() == [1, 7, 21, 41, 81, 121, 181, 255]
    np.testing.assert_array_equal(twice[8:], 2 * ~magnitudes + 1)


def test_fp16_sums_round_in_the_documented_order() -> None:
    """2048 + 1 is a tie that rounds to 2048, so the order of additions shows."""
    x = to_bits(np.array([2048.0, 1.0, 1.0, 1.0]))
    ones = to_bits(np.ones((4, 1)))
    assert fp16_sums(x, ones, 4) == to_bits(np.array([2050.0]))  # (2048 + 1) + (1 + 1)
    assert fp16_sums(x, ones, 1) == to_bits(np.array([2048.0]))  # one after another
    assert fp16_sums(x[::-1], ones, 1) == to_bits(np.array([2052.0]))  # 3 + 2048 = 2051, a tie


def test_fp16_sums_of_one_product_are_the_product() -> None:
    """Starting from -0 changes nothing, not even a negative zero."""
    x = to_bits(np.array([-0.0, 3.0]))
    one = to_bits(np.ones((1, 1)))
    assert fp16_sums(x[:1], one, 1).tolist() == [0x8000]
    assert fp16_sums(x[1:], one, 1).tolist() == [0x4200]


def test_cycles_by_hand() -> None:
    """INT4: 2 cycles in the lane, 1 for the upper half of the total, 1 in the queue."""
    assert spec().latency == 4
    assert spec().cycles(4096, 16) == 256 + 4
    assert spec().cycles(4096, 4096) == 256 * 256 + 4
    assert spec().cycles(1, 17) == 1 + 5 + 4  # a beat a tile: the next one waits for the queue
    assert spec(output_lanes=128).cycles(4096, 4096) == 256 * 32 + 4


def test_cycles_of_fp16_by_hand() -> None:
    """4 cycles for a product, 16 for the tree, 4 for the accumulator, 1 for the queue."""
    fp16 = spec("fp16")
    assert fp16.latency == 25
    assert fp16.cycles(4096, 64) == 4 * 256 + 25
    assert fp16.cycles(4096, 65) == 8 * 256 + 25  # the second group has one tile that counts
    assert fp16.cycles(16, 128) == 4 + 28 + 25  # 26 cycles apart, on the accumulators' next turn


@pytest.mark.parametrize("arithmetic", SHAPES)
def test_parts_fit_each_other(arithmetic: str) -> None:
    """What is prepared for the lanes are their ports, and a sum takes the cycles it says."""
    size = spec(arithmetic)
    lane, operands = make_lane(size, pipelined=True), make_operands(size)
    assert lane.latency == size.lane_cycles
    assert arithmetic in LANE_CYCLES or size.floating
    if operands is not None:
        for name, member in operands.signature.members.items():
            if member.flow.name == "Out":
                assert getattr(lane, name).shape() == getattr(operands, name).shape()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arithmetic": "int5"}, "arithmetic must be one of"),
        ({"inputs_per_beat": 12}, "inputs_per_beat must be a power of two"),
        ({"inputs_per_beat": 2}, "inputs_per_beat must be from 4"),
        ({"output_lanes": 0}, "output_lanes must be from 1"),
        ({"inputs_max": 100}, "inputs_max must be a multiple of 16"),
    ],
)
def test_bad_sizes_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spec(**changes)


def test_group_scales_by_hand() -> None:
    """3 * 0.5 * 2 + (-1) * 4 * 0.25; and 2049 is not an FP16 number, but 2048 is."""
    sums = np.array([[3, 2049], [-1, 0]])
    activations = to_bits(np.array([2.0, 0.25]))
    weights = to_bits(np.array([[0.5, 1.0], [4.0, 1.0]]))
    expected = to_bits(np.array([2.0, 4096.0]))
    np.testing.assert_array_equal(group_scaled_sums(sums, activations, weights), expected)


def test_group_scaler_needs_whole_units() -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        GroupScaler(spec(output_lanes=4))


@pytest.mark.parametrize(("term_bits", "total_bits"), [(9, 20), (12, 24), (9, 16)])
def test_accumulator_adds_terms_of_any_width(term_bits: int, total_bits: int) -> None:
    """Below half of the total's width, above it, and where one cycle does for the whole."""
    dut = IntegerAccumulator(term_bits, total_bits)
    rng = np.random.default_rng(7)
    high = 1 << (term_bits - 1)
    terms = rng.integers(-high, high, 40).tolist()
    totals = [sum(terms[n // 8 * 8 : n + 1]) for n in range(len(terms))]  # tiles of eight beats
    seen: list[int] = []

    async def bench(ctx: Any) -> None:
        for n in range(len(terms) + 2):
            ctx.set(dut.valid, n < len(terms))
            ctx.set(dut.first, n % 8 == 0)
            ctx.set(dut.term, terms[n - 1] if 0 < n <= len(terms) else 0)
            await ctx.delay(1e-9)
            seen.append(ctx.get(dut.total))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    start = 1 + dut.latency
    assert seen[start : start + len(terms)] == totals
