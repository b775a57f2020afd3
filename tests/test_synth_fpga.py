"""Designs in an FPGA."""

import importlib.metadata
import json
from collections import Counter
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kllm.app
import synth.fpga.fpga
from gateware.design import Design
from gateware.points import CATALOGUE
from golden.base.cache import Cache
from golden.base.errors import InputError, ToolError
from hw.stream.token_buffer import TokenBuffer
from synth.area.area import TIMEOUT
from synth.fpga.fpga import DEVICES, PACKAGE, TABLES, Fit, fit, mapped

DESIGN = CATALOGUE["fp16_add_pipelined"]


@pytest.fixture
def nextpnr() -> None:
    """Skip where nextpnr is not installed."""
    try:
        importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{PACKAGE} is not installed")


def test_small_design(nextpnr: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path)
    found = fit(DESIGN, "ecp5-25k", cache=cache)
    assert found.flip_flops == 103  # as in cells
    assert 200 < found.luts < 600
    assert found.luts_available == TABLES["ecp5-25k"]
    assert TABLES.keys() == DEVICES.keys()
    assert found.fmax_mhz
    assert 40 < found.fmax_mhz < 400
    assert (found.block_rams, found.multipliers, found.pins) == (0, 0, True)
    monkeypatch.setattr(synth.fpga.fpga, "_place", None)  # known: not placed again
    assert fit(DESIGN, "ecp5-25k", cache=cache) == found
    with pytest.raises(ValueError, match="no fit"):
        Fit.of_json(b'{"design": "x"}')
    assert Fit.of_json(json.dumps(asdict(found)).encode()) == found


def test_more_ports_than_pins(nextpnr: None, monkeypatch: pytest.MonkeyPatch) -> None:
    option, package, _ = DEVICES["ecp5-25k"]
    monkeypatch.setitem(DEVICES, "ecp5-25k", (option, package, 10))
    found = fit(DESIGN, "ecp5-25k", cache=Cache(None))
    assert not found.pins
    assert found.flip_flops == 103


@pytest.mark.parametrize(("lanes", "places", "rams"), [(1, 512, 4), (4, 256, 8)])
def test_buffers_are_block_rams(lanes: int, places: int, rams: int, tmp_path: Path) -> None:
    """Two halves of 64 bits a lane and place, in memories of 1 024 words of 18 bits."""
    buffer = Design("buffer", partial(TokenBuffer, 64, lanes, places))
    kinds = cells(mapped(buffer, tmp_path, "a trial", 60))
    assert kinds["DP16KD"] == rams
    assert kinds["TRELLIS_FF"] < 64 * (2 * lanes + 1), "words in flip-flops"
    assert kinds["TRELLIS_DPR16X4"] == 0


def cells(module: dict) -> Counter[str]:
    return Counter(cell["type"] for cell in module["cells"].values())


@pytest.mark.slow
def test_an_engine_is_mapped(tmp_path: Path) -> None:
    kinds = cells(mapped(CATALOGUE["tiny_symmetric"], tmp_path, "a trial", TIMEOUT))
    assert 10_000 < kinds["LUT4"] < 30_000
    assert 5_000 < kinds["TRELLIS_FF"] < 8_000
    assert kinds["TRELLIS_DPR16X4"] > 100, "memories of few words"


@pytest.mark.slow
def test_an_engine_is_placed(nextpnr: None) -> None:
    found = fit(CATALOGUE["tiny_symmetric"], "ecp5-85k", cache=Cache(None), timeout=1500)
    assert found.pins
    assert 15_000 < found.luts < found.luts_available


@pytest.mark.parametrize(
    ("available", "advice"),
    [
        ({"ecp5-25k": 100, "ecp5-45k": 200, "ecp5-85k": 2000}, "choose ecp5-85k"),
        ({"ecp5-25k": 100, "ecp5-45k": 1000, "ecp5-85k": 2000}, "choose ecp5-45k or ecp5-85k"),
        ({"ecp5-25k": 100}, "choose a smaller design"),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_placed(
    available: dict[str, int], advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synth.fpga.fpga, "TABLES", available)
    monkeypatch.setattr(synth.fpga.fpga, "nextpnr_version", lambda: "0")
    with pytest.raises(
        InputError,
        match=rf"pipelined takes at least \d+ lookup tables, and ecp5-25k has 100: {advice}$",
    ):
        fit(DESIGN, "ecp5-25k", cache=Cache(None))


def test_time_limit(nextpnr: None) -> None:
    with pytest.raises(ToolError, match=r"on ecp5-25k within 0.01 s: the time was over"):
        fit(DESIGN, "ecp5-25k", cache=Cache(None), timeout=0.01)


def run(*arguments: str):
    return CliRunner().invoke(kllm.app.build_app(), ["synth", *arguments])


def test_command(nextpnr: None, tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    result = run("fp16_add_pipelined", "--fpga", "ecp5-25k", "--json", str(path))
    assert result.exit_code == 0, result.output
    (entry,) = json.loads(path.read_text())
    assert entry["device"] == "ecp5-25k"
    assert "103" in result.output


def test_bad_input_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("fp16_add", "--fpga", "ecp5-85")
    assert isinstance(result.exception, InputError)
    assert "no FPGA 'ecp5-85'; near are ecp5-85k" in str(result.exception)
    result = run("fp16_add", "--fpga", "ecp5-85k", "--blocks")
    assert isinstance(result.exception, InputError)
    monkeypatch.setattr(synth.fpga.fpga, "PACKAGE", "no-such-package")
    result = run("fp16_add", "--fpga", "ecp5-85k")
    assert isinstance(result.exception, ToolError)
    assert "run `pip install no-such-package`" in str(result.exception)


def test_help_has_every_device() -> None:
    result = CliRunner().invoke(kllm.app.build_app(), ["synth", "--help"], env={"COLUMNS": "300"})
    assert all(device in result.output for device in DEVICES)
