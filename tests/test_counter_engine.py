"""The counter engine's size and cycles; its bits are for its benches to compare."""

from dataclasses import replace

import pytest

from gateware.engines.kinds import engine
from gateware.point import Point
from gateware.points.linear_counter import COUNTER_ENGINES, PAPER, counter_spec

SPEC = counter_spec(PAPER)


def test_cycles_of_the_paper() -> None:
    """By hand: 4096 / 16 tiles of 256 / 32 steps; 42 outliers, 4096 / (16 x 8) groups each."""
    assert SPEC.pairs * SPEC.output_lanes == 8192
    assert SPEC.main_cycles(4096, 4096) == 256 * 8 == 2048
    assert SPEC.compensation_cycles(4096, 42) == 42 * 32 == 1344


def test_short_layers_wait_for_the_tree() -> None:
    """A head of 128 inputs is counted in one cycle, and multiplied in 256 / 32 all the same."""
    assert SPEC.main_cycles(128, 64) == 4 * 8
    folded = counter_spec(PAPER | {"scale_lanes": 8}, symmetric=True)
    assert folded.main_cycles(128, 64) == 4 * 4


def test_whole_cycles_are_the_slower_branch_and_a_way_out() -> None:
    paper = engine(SPEC)
    alone = paper.alone(4096, 4096, 0)
    assert alone > SPEC.main_cycles(4096, 4096)
    assert paper.alone(4096, 4096, 21) == alone
    # 205 outliers a side are 10 %.
    many = engine(replace(SPEC, outliers_max=205)).alone(4096, 4096, 205)
    assert many > SPEC.compensation_cycles(4096, 410) == 13_120


@pytest.mark.parametrize("one", COUNTER_ENGINES, ids=lambda one: one.name)
def test_tiles_leave_as_fast_as_they_come(one: Point) -> None:
    spec = one.spec
    assert spec.output_cycles <= spec.steps
    assert spec.bins == (128 if spec.folded else 256)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"counters": 3}, "counters must be a power of two"),
        ({"folded": True}, "folded must be from 0 to 0"),
        ({"inputs_max": 4352}, "divide inputs_max"),
        ({"outputs_max": 4112}, "multiple of 128"),
        ({"scale_lanes": 1}, "raise scale_lanes"),
    ],
)
def test_a_size_that_cannot_be_is_refused(change: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(SPEC, **change)
