"""Units of functions and of vectors' scalars: every number, their size, what they refuse."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateware.points import point
from hw.vector.function_unit import FunctionUnit
from hw.vector.inverse_unit import InverseUnit
from hw.vector.power_sum import PowerSum
from hw.vector.square_sum import START_BITS, SquareSum
from sim.harness.fp16_sweep import sweep
from sim.harness.function_sweep import function_sweep
from synth.area.measure_design import measure
from synth.libraries.liberty import Library


@pytest.mark.parametrize(
    ("name", "functions"),
    [
        ("function_unit_exp_sigmoid", 2),
        ("function_unit_gelu", 1),
        pytest.param("function_unit_gelu_tanh", 1, marks=pytest.mark.slow),
        pytest.param("function_unit_erf", 1, marks=pytest.mark.slow),
        pytest.param("function_unit", 6, marks=pytest.mark.slow),
    ],
)
def test_every_number(
    needs: Callable[[str], None], tmp_path: Path, name: str, functions: int
) -> None:
    needs("verilator")
    done = function_sweep(name, tmp_path)
    assert (done.tried, done.wrong) == (functions << 16, 0), done.text
    # exp(0) is 1: whoever expects more must hear of it.
    if functions == 2:
        done = sweep(tmp_path / "fp16_sweep", "vectors", lines="0 0 3c01 0\n0 1 3800 0\n")
        assert (done.tried, done.wrong) == (2, 1), done.text


@pytest.mark.parametrize(
    ("name", "most_ge"),
    [
        ("function_unit_exp_sigmoid", 2700),
        ("function_unit_erf", 1480),
        ("function_unit", 4250),
        ("function_unit_gelu", 2850),  # 4 kGE are allowed
        ("function_unit_gelu_tanh", 2800),
        ("square_sum_l4", 7200),
        ("power_sum_l4", 3950),
        ("inverse_unit", 2010),
    ],
)
def test_units_are_small_and_stages_short(library: Library, name: str, most_ge: int) -> None:
    area = measure(point(name), library)
    assert area.ge < most_ge
    assert area.memory_bits == 0  # tables are gates, and counted
    assert area.delay_fo4 < 45


@pytest.mark.parametrize("functions", [(), ("sinh",), ("exp", "exp")])
def test_functions_are_known_and_different(functions: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"functions must be some of exp, sigmoid, .*, each once"):
        FunctionUnit(functions)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: SquareSum(3, 64), "lanes must be a power of two from 1 to 64, got 3"),
        (lambda: PowerSum(4, 0), "longest must be from 1 to 1048576, got 0"),
        (lambda: InverseUnit(81), "bits must be from 24 to 80, got 81"),
    ],
)
def test_sizes(make: Callable[[], object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make()


def test_sums_have_room_for_the_longest_vector() -> None:
    """Largest elements and the largest start: the sum is no longer than the output."""
    for longest in (1, 64, 1 << 14, 1 << 20):
        squares, powers = SquareSum(1, longest), PowerSum(1, longest)
        largest = longest * 65504**2 * 2**30 + (1 << START_BITS) - 1
        assert largest < 1 << squares.total_bits <= largest << 1
        assert longest * 65504 << 24 < 1 << powers.total_bits <= longest * 65504 << 25
