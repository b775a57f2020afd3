"""``kllm verilog``: what it writes, and that it tells the truth."""

import json
import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import kllm.app
from gateware.design import describe_shape, describe_streams
from gateware.points import CATALOGUE, point
from golden.base.errors import InputError
from golden.base.files import write_whole
from hw.formats import SCALE
from hw.token.reciprocal import Reciprocal

NAME = "tiny_symmetric"
PORT = re.compile(r"^  (input|output) (?:signed )?(?:\[(\d+):0\] )?(\w+);", re.M)


def verilog(*arguments: str):
    return CliRunner().invoke(kllm.app.build_app(), ["verilog", *arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rtl") / "deep" / "down"
    result = verilog(NAME, NAME, "-o", str(path))
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [str(path / f"{NAME}.v"), str(path / f"{NAME}.json")]
    return path


def test_nothing_but_the_two_files_is_written(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [f"{NAME}.json", f"{NAME}.v"]


def test_sidecar_has_the_ports_of_the_verilog(folder: Path) -> None:
    text = (folder / f"{NAME}.v").read_text()
    top = re.search(rf"^module {NAME}\(.*?^endmodule", text, re.S | re.M)
    assert top
    wanted = {
        name: ({"input": "in", "output": "out"}[direction], int(high or 0) + 1)
        for direction, high, name in PORT.findall(top[0])
    }
    assert len(wanted) > 10
    sidecar = json.loads((folder / f"{NAME}.json").read_text())
    got = {port["name"]: (port["direction"], port["width"]) for port in sidecar["ports"]}
    got |= {sidecar["clock"]: ("in", 1), sidecar["reset"]["name"]: ("in", 1)}
    assert got == wanted


def test_sidecar_has_the_modules_of_the_verilog(folder: Path) -> None:
    text = (folder / f"{NAME}.v").read_text()
    modules = set(re.findall(r"^module (\w+)\(", text, re.M))
    sidecar = json.loads((folder / f"{NAME}.json").read_text())
    named = {module["name"]: module for module in sidecar["modules"]}
    assert {NAME, *named} == modules
    assert named[f"{NAME}_reciprocal"]["latency"] == Reciprocal.LATENCY
    assert named[f"{NAME}_reciprocal"]["component"] == "Reciprocal"
    for stream in sidecar["streams"]:
        for part in ("payload", "valid", "ready"):
            assert stream[part] in {port["name"] for port in sidecar["ports"]}


def test_sidecar_says_what_was_chosen(folder: Path) -> None:
    sidecar = json.loads((folder / f"{NAME}.json").read_text())
    assert sidecar["name"] == NAME
    assert sidecar["parameters"]["inputs_per_beat"] == 4
    assert sidecar["parameters"]["symmetric"] is True


def test_fields_have_their_offsets() -> None:
    described = describe_shape(SCALE)
    assert described == {
        "width": 18,
        "fields": [
            {"name": "mantissa", "offset": 0, "width": 11, "signed": False},
            {"name": "exponent", "offset": 11, "width": 7, "signed": True},
        ],
    }


def test_ports_say_what_they_are_for() -> None:
    ports = {port["name"]: port["about"] for port in point("orizuru_unit").sidecar()["ports"]}
    assert ports["i__valid"] == "FP16 keys."  # of the base class, and of the whole stream
    assert ports["comparisons"].startswith("Bits of nodes decided")


def test_streams_are_seen_from_the_component() -> None:
    streams = {entry["name"]: entry for entry in describe_streams(Reciprocal().signature)}
    assert {name: entry["direction"] for name, entry in streams.items()} == {"i": "in", "o": "out"}
    assert streams["i"]["payload"] == "i__payload"


def test_list_is_the_catalogue() -> None:
    for option in ("--list", "--json=-"):
        result = verilog(option)
        assert result.exit_code == 0
        for name, one in CATALOGUE.items():
            assert name in result.output
            assert one.about.split(",")[0] in " ".join(result.output.replace("│", " ").split())
    entries = json.loads(verilog("--json", "-").output)
    assert [entry["name"] for entry in entries] == list(CATALOGUE)
    by_name = {entry["name"]: entry["parameters"] for entry in entries}
    assert by_name["fp16_add"] == {"pipelined": False}
    assert by_name["orizuru_stream_16"]["engine"] == "stream"
    assert not set(by_name) & {"sorted_list", "linear_engine_plain"}


def test_without_a_design_it_explains_itself() -> None:
    result = verilog()
    assert result.exit_code == 0
    assert "Usage: " in result.output


def test_one_wrong_name_and_nothing_is_written(tmp_path: Path) -> None:
    result = verilog(NAME, "smal", "-o", str(tmp_path / "new"))
    assert isinstance(result.exception, InputError)
    assert "no design 'smal'; near are small" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    result = verilog(NAME, "-o", str(taken))
    assert isinstance(result.exception, InputError)
    assert f"cannot make the folder {taken}" in str(result.exception)
    assert taken.read_text() == "mine"


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "out.v"
    target.mkdir()
    with pytest.raises(InputError, match="cannot write"):
        write_whole(target, "text")
    assert [path.name for path in tmp_path.iterdir()] == ["out.v"]
    with pytest.raises(InputError, match="cannot write"):
        write_whole(tmp_path / "none" / "out.v", "text")


def test_written_files_have_the_usual_mode(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("")
    write_whole(tmp_path / "ours", "text")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode
    assert (tmp_path / "ours").read_text() == "text"


def test_unknown_designs_are_told_what_comes_near() -> None:
    with pytest.raises(InputError, match="near are minilm"):
        point("minlm")


def test_a_core_and_constraints(tmp_path: Path) -> None:
    result = verilog("fp16_compare", "register_bank", "-o", str(tmp_path), "--package")
    assert result.exit_code == 0, result.output
    core = yaml.safe_load((tmp_path / "register_bank.core").read_text().removeprefix("CAPI=2:\n"))
    assert core["name"] == "kllm:rtl:register_bank"
    assert core["description"] == CATALOGUE["register_bank"].about
    named = [file for one in core["filesets"].values() for file in one["files"]]
    assert named == ["register_bank.v", "register_bank.sdc"]
    assert all((tmp_path / file).is_file() for file in named)
    for target in core["targets"].values():
        assert target["toplevel"] == "register_bank"
        assert set(target["filesets"]) <= set(core["filesets"])
    for name, clock in (("register_bank", " [get_ports clk]"), ("fp16_compare", "")):
        text = (tmp_path / f"{name}.sdc").read_text()
        assert f"create_clock -name clk -period $period{clock}\n" in text
        (said,) = re.findall(r"set_input_delay .*\{\n(.*?)\n\}", text, re.S)
        (top,) = re.findall(
            rf"^module {name}\(.*?^endmodule", (tmp_path / f"{name}.v").read_text(), re.S | re.M
        )
        wanted = [
            port + "[*]" * bool(high)
            for direction, high, port in PORT.findall(top)
            if direction == "input" and port != "clk"
        ]
        assert sorted(said.split()) == sorted(wanted)
