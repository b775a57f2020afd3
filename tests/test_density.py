"""``kllm density``: its figures from areas made up, the formulas of cycles, the paper's scale."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import kllm.app
import synth.area.density
from gateware.density_points import FMA, FMA_COMBINATIONAL, counter_spec, density_points
from gateware.design import Design
from gateware.points import point
from golden.accuracy.error_split import ErrorSplit
from golden.base.errors import ToolError
from golden.exact.cycles import lookup_beats, outliers_of
from synth.area.area import Area
from synth.area.density import LAYER, densities, paper_scale_cycles
from synth.area.measure_design import measure
from synth.libraries.liberty import Library

BLOCKS = ["lookup", "counter", "int4", "int8", "dequant", "figlut", "fp16"]
MADE_UP: dict[str, Any] = dict(
    area=0.0, delay_ps=0.0, cells=0, yosys="", path_start="", path_end="", timing="",
    flip_flops=0, cell_counts={}, memory_bits=0, memory_area=0.0, memory_ge=0.0,
    memory_model="", nand2="", inverter="", nand2_area=1.0, fo4_ps=1.0, unit_note="", blocks=(),
    memories=(),
)  # fmt: skip
GE = {
    FMA: 3000.0,
    FMA_COMBINATIONAL: 1500.0,
    "lookup_array": 76800.0,
    "int4_scaled_array": 76800.0,
    "counter_line": 614400.0,
}


def made_up_area(one: Design) -> Area:
    """Of lanes 1600 GE, of arrays 51200, unless :data:`GE` says else; a tenth of it registers."""
    ge = GE.get(one.name, 51200.0 if one.name.endswith("array") else 1600.0)
    return Area(
        design=one.name, library="cells", ge=ge, ge_sequential=ge / 10, delay_fo4=40.0, **MADE_UP
    )  # fmt: skip


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Areas and errors without synthesis and without MiniLM."""
    monkeypatch.setattr(
        synth.area.density,
        "measure_all",
        lambda designs, *_, **__: [made_up_area(d) for d in designs],
    )


def test_every_kind_is_there_once() -> None:
    points = density_points()
    assert [point.block for point in points] == BLOCKS
    for one in points:
        assert one.array_pairs % one.lane_pairs == 0


@pytest.mark.usefixtures("made_up")
def test_figures_by_hand() -> None:
    rows = {row.block: row for row in densities(density_points(), None, {"int4": 0.25})}  # pyright: ignore[reportArgumentType]
    lookup, counter, int4 = rows["lookup"], rows["counter"], rows["int4"]
    assert lookup.ge_per_mac == 90  # 1600 less a tenth, over 16
    assert lookup.ge_per_mac_with_registers == 300  # 76800 / 256
    assert lookup.ratio_to_fp16_fma == 0.1
    assert lookup.ratio_to_fp16_fma_combinational == pytest.approx(0.06)
    assert lookup.ratio_to_int4 == 1
    assert counter.ge_per_mac == 1080  # 614400 less a tenth, over 512
    assert counter.ge_per_mac_with_registers == 1200
    assert counter.ratio_to_int4 == 12
    assert int4.ge_per_mac_with_registers == 200
    assert [row.ge_per_mac_with_scales for row in (int4, lookup)] == [300, None]
    assert (int4.accuracy, lookup.accuracy) == (0.25, None)
    assert {row.delay_fo4 for row in rows.values()} == {40}


def test_outliers_are_whole_on_each_side() -> None:
    assert [outliers_of(4096, percent) for percent in (0, 0.5, 1, 2, 5, 10)] == [
        0, 22, 42, 82, 206, 410,
    ]  # fmt: skip
    assert outliers_of(400, 1) == 4


def test_lookup_beats_by_hand() -> None:
    size = dict(inputs_per_beat=16, output_lanes=64)
    assert lookup_beats(61, 50, 6, **size, digits=2) == 4 + 2  # one group of outliers, two digits
    assert lookup_beats(64, 65, 0, **size, digits=2) == 2 * 4
    assert lookup_beats(64, 64, 17, **size, digits=3) == 4 + 3 * 2


def test_cycles_at_the_papers_scale() -> None:
    """The paper: 2048 in the main branch, 1344 beside it at 1 %, some 13400 at 10 %."""
    rows = {row.outlier_percent: row for row in paper_scale_cycles()}
    assert [row.counter for row in rows.values()] == [2048, 2048, 2048, 2624, 6592, 13120]
    assert counter_spec().compensation_cycles(4096, outliers_of(4096, 1)) == 1344
    assert [row.lookup for row in rows.values()] == [2048, 2096, 2120, 2192, 2360, 2672]
    assert rows[1].lookup <= 2130
    assert rows[10].lookup <= 2680


def test_leanest_int4_lane(library: Library) -> None:
    """A baseline that grows fat would flatter everything beside it."""
    area = measure(point("int4_lane"), library)
    assert area.ge_sequential == 0
    assert area.ge / 16 < 85


def invoke(*arguments: str):
    return CliRunner().invoke(kllm.app.build_app(), ["density", *arguments])


@pytest.mark.usefixtures("made_up")
def test_command_writes_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synth.area.density, "accuracies", lambda _: {"int4": 0.25})
    file, plot = tmp_path / "d.json", tmp_path / "d.png"
    result = invoke(f"--json={file}", f"--plot={plot}")
    assert result.exit_code == 0, result.exception
    rows = json.loads(file.read_text())
    assert [row["block"] for row in rows] == BLOCKS
    assert set(rows[0]) == {
        "block", "library", "ge_per_mac", "ge_per_mac_with_registers", "delay_fo4",
        "ratio_to_fp16_fma", "ratio_to_fp16_fma_combinational", "ratio_to_int4", "accuracy",
        "ge_per_mac_with_scales",
    }  # fmt: skip
    assert plot.read_bytes().startswith(b"\x89PNG")
    for said in ("AxCore", "1/16.7", "300.0", "25.0%", "2672", "13120", LAYER):
        assert said in result.output


def test_accuracy_without_minilm(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object):
        raise ToolError("no model")

    monkeypatch.setattr("golden.models.layer_source.model_layers", missing)
    assert synth.area.density.accuracies(lambda _: None) == {}


def test_accuracy_is_that_of_the_study(monkeypatch: pytest.MonkeyPatch) -> None:
    split = ErrorSplit(
        output=1.0, quantisation=0.1, arithmetic=0.01, int_per_token=0.4, int_groups=0.2
    )

    def study(_: object, *, symmetric: bool, outlier_share: float):
        yield LAYER, replace(split, quantisation=0.1 + symmetric * 0.02 + (not outlier_share))

    monkeypatch.setattr("golden.models.layer_source.model_layers", lambda *_: [None])
    monkeypatch.setattr("golden.accuracy.error_split.study", study)
    found = synth.area.density.accuracies(lambda _: None)
    expected = {"lookup": 0.12, "counter": 0.1, "dequant": 1.12, "int4": 0.2}
    assert found == pytest.approx(expected)


def test_unknown_library_is_refused() -> None:
    result = invoke("--liberty=osu019")
    assert result.exit_code != 0
    assert "osu019" in str(result.exception)
