"""Sweeps: what a file says, and what is made of the figures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import kllm.app
from gateware.points import point
from gateware.variant import variant
from golden.accuracy.error_split import split_errors
from golden.base.errors import InputError
from golden.exact.linear import QuantizedLinear
from golden.models.layer_source import LayerSource
from sim.kit.random_layer import random_layer, random_tokens
from synth.sweep.cycles import token_cycles
from synth.sweep.measure_point import measure_point
from synth.sweep.plan import plan, read_plan
from synth.sweep.points import Plan
from synth.sweep.run import Measured, front
from synth.sweep.show import draw, figures, label, print_table

GRID = {"base": "tiny", "grid": {"output_lanes": [4, 8, 16]}, "layer": {"outliers_percent": 0}}
EXAMPLES = Path(kllm.__file__).parents[1] / "synth" / "sweep"


def test_a_grid_is_every_combination() -> None:
    found = plan({"base": "tiny", "grid": {"symmetric": [False, True], "output_lanes": [4, 8]}})
    assert [dict(point.changes) for point in found.points] == [
        {"symmetric": symmetric, "output_lanes": lanes}
        for symmetric in (False, True)
        for lanes in (4, 8)
    ]
    spec = found.points[-1].design().spec
    assert (spec.numbers.symmetric, spec.output_lanes, spec.inputs_per_beat) == (True, 8, 4)
    assert found.pareto == ("ge", "microseconds")


def test_the_project_s_own_sweeps_are_possible() -> None:
    found = {path.name: read_plan(path) for path in EXAMPLES.glob("*.toml")}
    assert len(found["lanes.toml"].points) == 8
    assert not any(sweep.left_out for sweep in found.values())


def test_impossible_combinations_may_be_left_out() -> None:
    grid = {"output_lanes": [2, 8], "scale_lanes": [2, 4]}
    with pytest.raises(InputError, match="tiny cannot have output_lanes = 2, scale_lanes = 4: "):
        plan({"base": "tiny", "grid": grid})
    found = plan({"base": "tiny", "grid": grid, "skip_impossible": True})
    assert (len(found.points), found.left_out) == (3, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("base = ", "is no TOML"),
        ("grid = {}", "base is missing"),
        ("base = 'tinny'", "no design 'tinny'; near are tiny"),
        (
            "base = 'tiny'\nlibrary = 'osu018'",
            "the file has 'library'; allowed are base, libraries",
        ),
        ("base = 'tiny'\nmeasure = ['power']", "measure has 'power'; allowed are area, delay"),
        ("base = 'tiny'\nmeasure = []", "measure is empty"),
        ("base = 'tiny'\n[grid]\nlanes = [4]", "tiny has no parameter 'lanes'; allowed are symm"),
        (
            "base = 'tiny'\n[grid]\noutput_lanes = [3]",
            "must be a power of two from 2 to 256, got 3",
        ),
        ("base = 'tiny'\n[grid]\noutput_lanes = [true]", "must be a whole number, got True"),
        ("base = 'tiny'\n[grid]\noutput_lanes = []", "output_lanes is an empty list"),
        ("base = 'tiny'\n[grid]\noutput_lanes = [[4]]", "must be a list of plain values"),
        ("base = 'tiny'\n[layer]\ninputs = 65", "layer.inputs must be from 1 to 64, which"),
        ("base = 'tiny'\n[layer]\noutliers_percent = 50", "more than tiny takes with outliers_max"),
        ("base = 'tiny'\n[layer]\nsize = 4", "layer has 'size'; allowed are inputs, outputs"),
        ("base = 'tiny'\npareto = ['error']", "pareto has 'error'; allowed are microseconds, ge"),
        ("base = 'fp16_add'", "layer.inputs is missing"),
        ("base = 'bitonic_16'\n[layer]\noutputs = 9", "no formula for the cycles of bitonic_16"),
        ("base = 'fp16_add'\nmeasure = ['accuracy']", "tables of integers; fp16_add has none"),
        ("base = 'tiny'\nmeasure = ['accuracy']\naccuracy.layer = 'x'", "no linear layer 'x'"),
        ("base = 'tiny'\nmeasure = ['accuracy']\naccuracy.weight_bits = 5", "weight_bits must be"),
        ("base = 'tiny'\nlibraries = ['nope']", "no cell library 'nope'"),
    ],
)
def test_bad_files_are_one_sentence(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    result = CliRunner().invoke(kllm.app.build_app(), ["sweep", str(path)])
    assert isinstance(result.exception, InputError)
    assert said in str(result.exception)


def test_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none.toml"):
        read_plan(tmp_path / "none.toml")


def test_variants_change_what_is_named_alone() -> None:
    base = point("fp16_multiply")
    assert base.parameters == {"pipelined": False}
    assert variant(base, {"pipelined": True}).parameters == {"pipelined": True}
    assert variant(base, {"pipelined": True}).verilog() != base.verilog()
    changed = variant(point("int4_array"), {"arithmetic": "dequant", "output_lanes": 8})
    assert type(changed.make()).__name__ == "DequantArray"
    assert changed.spec.inputs_max == point("int4_array").spec.inputs_max
    assert changed.about == "int4_array with arithmetic = dequant, output_lanes = 8"


def test_cycles_by_hand() -> None:
    # 16 beats and two digits for each of two groups of 4 outliers, for 16 tiles.
    assert token_cycles(point("tiny"), 64, 64, 8) == (16 + 2 * 2) * 16
    # The paper's: counting takes 128 beats of 32 pairs a tile; 6 outliers each 8 groups.
    assert token_cycles(point("counter_small"), 256, 256, 6) == 64 * 8
    array = point("int4_array")
    assert token_cycles(array, 4096, 32, 0) == array.spec.cycles(4096, 32)


def test_accuracy_is_that_of_the_golden_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of the base's widths, with the point's digits; the layer is a random one, for speed."""
    rng = np.random.default_rng(5)
    numbers = point("tiny").spec.numbers
    layer = random_layer(rng, numbers, inputs=24, outputs=8, k_top=2)
    weight, bias = rng.normal(size=(24, 8)) / 4, np.zeros(8)
    x = random_tokens(rng, 4, 24)
    source = LayerSource(name="x", weight=weight, bias=bias, calibration=weight.T, x=x)
    asked: list[dict[str, Any]] = []

    def quantize(*_: Any, **named: Any) -> QuantizedLinear:
        asked.append(named)
        return layer

    monkeypatch.setattr("golden.quantise.quantize.quantize_linear", quantize)
    monkeypatch.setattr("golden.models.layer_source.model_layer", lambda *_, **named: source)
    monkeypatch.setenv("KLLM_CACHE", str(tmp_path))
    sweep = plan({"base": "tiny", "measure": ["accuracy"], "grid": {"magnitude_bits": [8]}})
    found = measure_point(sweep.points[0], 1)
    assert (asked[0]["magnitude_bits"], asked[0]["outlier_share"]) == (8, 0.005)
    assert asked[0]["activation_bits"] == 4
    split = split_errors(layer, source)
    assert found["quantisation_error"] == pytest.approx(split.quantisation / split.output)
    assert found["arithmetic_error"] == pytest.approx(split.arithmetic / split.output)
    assert found["error"] * split.output == pytest.approx(
        np.hypot(split.quantisation, split.arithmetic)
    )
    assert measure_point(sweep.points[0], 1) == found
    assert len(asked) == 1  # it is known


def measured(sweep: Plan, *figures: tuple[float, float]) -> list[Measured]:
    return [
        Measured(point=point, figures={"ge": ge, "microseconds": time} if ge else {})
        for point, (ge, time) in zip(sweep.points, figures, strict=True)
    ]


def test_front_is_what_none_is_better_than() -> None:
    sweep = plan({**GRID, "grid": {"output_lanes": [2, 4, 8, 16, 32]}})
    points = measured(sweep, (1, 9), (2, 5), (2, 6), (3, 5), (0, 0))
    assert front(points, sweep.pareto) == {sweep.points[0], sweep.points[1]}
    assert front(points, ("ge",)) == {sweep.points[0]}
    rows = json.loads(json.dumps(figures(sweep, points)))["points"]
    assert [row["pareto"] for row in rows] == [True, True, False, False, False]


def test_figures_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wide = {"output_lanes": [2, 4], "symmetric": [True, False]}
    sweep = plan({"base": "tiny", "measure": ["area", "cycles"], "grid": wide})
    points = [
        Measured(point=point, figures={"ge": 10.0**n, "memory_bits": 0, "cycles": 9 - n})
        for n, point in enumerate(sweep.points)
    ]
    print_table(sweep, points)
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["*", "2", "no", "10", "0", "8"] for line in lines)
    assert lines[-1] == "* none is better in GE, cycles / token"
    draw(sweep, points, tmp_path / "x.svg")
    text = (tmp_path / "x.svg").read_text()
    assert label(sweep.points[0], sweep) == "output_lanes=2 symmetric=yes"
    assert "output_lanes=2 symmetric=yes" in text
