"""Designs of one's own sizes: their addresses, what is refused and why, what is explained."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kllm.app
from gateware.design import Design
from gateware.own import LONGEST
from gateware.parameters import parameters
from gateware.points import CATALOGUE, point
from golden.base.errors import InputError
from kllm.options import own_sizes
from sim.chip.generate import GenerateOptions
from sim.run.run import Options

WIDE = "tiny:inputs_per_beat=8,output_lanes=16,inputs_max=4096,activation_bits=5"


def command(*arguments: str):
    return CliRunner().invoke(kllm.app.build_app(), arguments, env={"COLUMNS": "200"})


def test_an_address_is_a_design_with_these_sizes() -> None:
    made = point(WIDE)
    changed = {"inputs_per_beat": 8, "output_lanes": 16, "inputs_max": 4096, "activation_bits": 5}
    assert made.parameters == point("tiny").parameters | changed
    assert made.address == WIDE
    assert point(made.address).parameters == made.parameters
    assert made.name.startswith("tiny_")
    assert made.name.isidentifier()
    assert len(made.name) <= LONGEST
    assert made.name != point(WIDE.replace("4096", "8192")).name
    assert point("tiny:output_lanes=2").name == "tiny_output_lanes_2"
    assert point("tiny:output_lanes=2,name=mine").name == "mine"
    assert point("fp16_add:pipelined=true").parameters == {"pipelined": True}


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (
            "minilm:output_lanes=100",
            (
                "must be a power of two from 2 to 256, got 100.* side by side.*"
                " can be a power of two from 4 to 256.*scale_lanes"
            ),
        ),
        ("tiny:inputs_max=66", "multiple of 4, got 66.*from 4 to 16384, a multiple of 4"),
        ("tiny:inputs_max=128,output_lanes=7", "output_lanes: Output channels"),
        ("minilm:inputs=3", "no parameter 'inputs'; near are .*inputs_max.*--explain minilm"),
        ("tiny:inputs_max=many", "inputs_max must be a whole number, got 'many'"),
        ("tiny:symmetric=1", "symmetric must be true or false, got '1'"),
        ("tiny:inputs_max", "'inputs_max' sets no parameter: write NAME=VALUE"),
        ("tiny:name=a-b", "'a-b' is none for a Verilog module"),
        ("tiny:output_lanes=2,name=small", "small is that of another design"),
        ("tinny:output_lanes=2", "no design 'tinny'; near are tiny"),
        ("orizuru_unit:engine=bitonik", "cannot have .*no engine 'bitonik'; near are bitonic"),
    ],
)
def test_what_cannot_be_is_refused(address: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        point(address)


@pytest.mark.parametrize("design", CATALOGUE.values(), ids=CATALOGUE)
def test_every_parameter_is_explained(design: Design) -> None:
    for one in parameters(design):
        assert one.meaning, one.name
        assert one.allowed


def test_what_a_parameter_can_be_is_true() -> None:
    found = {one.name: one for one in parameters(point("tiny"))}
    assert found["inputs_per_beat"].allowed == "a power of two from 2 to 64"
    assert found["activation_bits"].allowed == "4, 5, 8"
    assert found["outliers_max"].allowed == "from 1 to 64"
    assert found["snaps"].allowed == "false"
    assert found["output_lanes"].dependent == ("inputs_max", "outputs_max", "scale_lanes")
    point("tiny:outliers_max=64")
    with pytest.raises(InputError):
        point("tiny:outliers_max=65")
    # Between the sizes that are tried, to the last that sums leave room for.
    most = parameters(point("minilm:magnitude_bits=12,outliers_max=1024,inputs_max=1024"))
    (said,) = [one.allowed for one in most if one.name == "outliers_max"]
    assert said == "from 1 to 1024"


def test_a_file_says_sizes_and_the_command_has_the_last_word(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('base = "tiny"\nname = "mine"\noutput_lanes = 8\nsymmetric = true\n')
    whole = "tiny:name=mine,output_lanes=8,symmetric=true"
    assert own_sizes(None, None, file) == whole
    assert own_sizes("tiny", ["output_lanes=16"], file) == whole.replace("8", "16")
    assert own_sizes("tiny", None, None) == "tiny"
    with pytest.raises(InputError, match="is for tiny, not for small"):
        own_sizes("small", None, file)
    with pytest.raises(InputError, match="name one, or write base"):
        own_sizes(None, ["output_lanes=16"], None)
    file.write_text("output_lanes = [8]\n")
    with pytest.raises(InputError, match="output_lanes must be a plain value"):
        own_sizes("tiny", None, file)
    file.write_text("output_lanes = \n")
    with pytest.raises(InputError, match="cannot read"):
        own_sizes("tiny", None, file)


def test_the_sidecar_says_the_whole_specification(tmp_path: Path) -> None:
    done = command("verilog", "lookup_tree_group", "--set", "magnitude_bits=7", "-o", str(tmp_path))
    assert done.exit_code == 0, done.output
    name = "lookup_tree_group_magnitude_bits_7"
    assert f"module {name}(" in (tmp_path / f"{name}.v").read_text()
    sidecar = json.loads((tmp_path / f"{name}.json").read_text())
    assert sidecar["address"] == "lookup_tree_group:magnitude_bits=7"
    assert sidecar["parameters"] == point("lookup_tree_group").parameters | {"magnitude_bits": 7}


def test_explain_lists_the_parameters() -> None:
    done = command("verilog", "--explain", "tiny", "--set", "inputs_max=128", "--json", "-")
    rows = {one["name"]: one for one in json.loads(done.stdout)}
    assert rows["inputs_max"]["value"] == 128
    assert rows["outliers_max"]["allowed"] == "from 1 to 128"
    shown = command("verilog", "--explain", "tiny").stdout
    assert "Whether codebooks are symmetric" in shown


def test_engines_and_chips_of_own_sizes_run() -> None:
    """What a run looks up of a design is that of the sizes it is given."""
    options = Options(design="tiny:inputs_max=128", simulator="icarus")
    assert options.engine.spec.inputs_max == 128
    with pytest.raises(InputError, match="does not run a layer"):
        Options(design="fp16_add:pipelined=true", simulator="icarus")
    chip = GenerateOptions(prompt=[1], count=1, chip="chip_tiny:vector_words=128")
    assert chip.spec.vector_words == 128
    with pytest.raises(InputError, match="no chip 'tiny'"):
        GenerateOptions(prompt=[1], count=1, chip="tiny:inputs_max=128").spec  # noqa: B018
