"""Areas move only together with the file that says what they are."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kllm.app
import synth.area.baseline
from gateware.points import CATALOGUE
from golden.base.errors import InputError, ToolError
from synth.area.area import Area
from synth.area.baseline import deltas, differences, drifted, load, table, update
from synth.area.measure import measure_all
from synth.area.measure_design import measure
from synth.libraries.liberty import Library

# `kllm synth --all --baseline` checks all; larger ones consist of the same components, wider.
CHECKED_GE = 30_000
CHECKED_ENGINE = "tiny_symmetric"


def test_every_design_has_a_baseline() -> None:
    assert not differences(load(), CATALOGUE)


@pytest.mark.slow  # `make areas` compares all of them
def test_areas_are_those_of_the_baseline(library: Library) -> None:
    baseline = load()
    sizes = {name: baseline.designs[name]["ge"] for name in CATALOGUE}
    names = [name for name, ge in sizes.items() if ge <= CHECKED_GE or name == CHECKED_ENGINE]
    assert len(names) >= 20
    areas = measure_all([CATALOGUE[name] for name in names], library, timed=False)
    assert baseline.library == library.name
    moved = drifted(baseline, areas)
    by = f"measured by Yosys {areas[0].yosys}, the baseline by {baseline.yosys}"
    assert not moved, f"`{synth.area.baseline.UPDATE}` if that is meant; {by}\n{table(moved)}"


@pytest.fixture(scope="module")
def area(library: Library) -> Area:
    return measure(CATALOGUE["fp16_add"], library)


def test_one_per_cent_is_the_limit(area: Area, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    update([area], ["fp16_add"], path)
    baseline = load(path)
    assert not drifted(baseline, [area])
    assert not drifted(baseline, [replace(area, ge=area.ge * 1.009)])
    moved = replace(area, ge=area.ge * 0.98, flip_flops=1)
    assert [delta.figure for delta in drifted(baseline, [moved])] == ["ge", "flip_flops"]
    text = table(deltas(baseline, [moved]))
    assert "-2.0%" in text
    assert "+inf%" in text


def test_update_keeps_the_others(area: Area, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    update([area, replace(area, design="b"), replace(area, design="c")], ["fp16_add", "b"], path)
    assert list(load(path).designs) == ["fp16_add", "b"]
    update([replace(area, design="b", ge=7.0)], ["b", "fp16_add"], path)
    assert {name: entry["ge"] for name, entry in load(path).designs.items()} == {
        "b": 7.0,
        "fp16_add": pytest.approx(area.ge),
    }
    with pytest.raises(InputError, match=r"is of osu018_stdcells and Yosys .*--all"):
        update([replace(area, yosys="0.1")], ["b", "fp16_add"], path)


def test_designs_too_many_or_too_few_are_named(area: Area, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    update([replace(area, design="large"), area], ["large", "fp16_add"], path)
    assert "lacks new" in differences(load(path), ["large", "fp16_add", "new"])
    assert "has large, which" in differences(load(path), ["fp16_add"])


@pytest.mark.parametrize("text", ["", "[]", "{}", None])
def test_no_baseline_is_one_sentence(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=r"baseline.json.*--update-baseline --all"):
        load(path)


def test_command(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*arguments: str):
        return CliRunner().invoke(kllm.app.build_app(), ["synth", *arguments])

    path = tmp_path / "baseline.json"
    monkeypatch.setattr(synth.area.baseline, "FILE", path)
    for function in (synth.area.baseline.load, synth.area.baseline.update):
        monkeypatch.setattr(function, "__defaults__", (path,))
    monkeypatch.setattr("gateware.points.CATALOGUE", {"fp16_add": CATALOGUE["fp16_add"]})
    assert run("fp16_add", "--update-baseline").exit_code == 0
    before = path.read_text()
    assert run("fp16_add", "--baseline").exit_code == 0
    path.write_text(before.replace('"ge": 6', '"ge": 9'))
    result = run("fp16_add", "--baseline")
    assert isinstance(result.exception, ToolError)
    assert "moved by more than 1%" in str(result.exception)
    assert "fp16_add" in result.output
    result = run("fp16_add", "--baseline", "--liberty", "osu035")
    assert isinstance(result.exception, InputError)
