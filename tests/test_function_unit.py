"""The function unit on every number, its size, and what it refuses."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateware.points import point
from hw.vector.function_unit import FunctionUnit
from sim.harness.fp16_sweep import sweep
from sim.harness.function_sweep import function_sweep
from synth.area.measure_design import measure
from synth.libraries.liberty import Library


@pytest.mark.parametrize(
    ("name", "functions"),
    [
        ("function_unit_exp_sigmoid", 2),
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
    [("function_unit_exp_sigmoid", 2700), ("function_unit_erf", 1480), ("function_unit", 4250)],
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
