"""Memories of designs: all are one component, whose Verilog can be left out for macros."""

import ast
import json
import re
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kllm.app
from gateware.design import Design
from gateware.emit import rtlil
from gateware.memory_macros import apart, describe, guarded
from gateware.points import point
from gateware.yosys import run_yosys
from hw.stream.token_buffer import TokenBuffer
from hw.stream.word_memory import WordMemory

ROOT = Path(__file__).resolve().parent.parent
MACRO = "kllm_memory_64x8_w2"
PORT = re.compile(r"^ +(input|output)(?: wire)? (?:\[(\d+):0\] )?(\w+)[,;]?$", re.M)


@pytest.fixture(scope="module")
def pair() -> Design:
    return Design("pair", partial(TokenBuffer, 32, 2, 4))


def test_no_component_has_a_memory_but_word_memory() -> None:
    """Not by itself, and not in a queue of Amaranth's."""
    of_amaranth = {"amaranth.lib.memory", "amaranth.lib.fifo"}
    having = set()
    for path in (ROOT / "hw").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if of_amaranth & set(names) or (
                names == ["amaranth.lib"]
                and isinstance(node, ast.ImportFrom)
                and {one.name for one in node.names} & {"memory", "fifo"}
            ):
                having.add(path.name)
    assert having == {"word_memory.py"}


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((64, 8, 2), MACRO),
        ((64, 8), "kllm_memory_64x8"),
        ((64, 4), None),  # 256 bits: flip-flops
        ((64, 8, 2, (1,)), None),  # no macro begins with words
    ],
)
def test_names_say_the_size(arguments: tuple, name: str | None) -> None:
    assert WordMemory(*arguments).module_name == name


def test_parts_are_equal() -> None:
    with pytest.raises(ValueError, match="3 equal parts do not make 64 bits"):
        WordMemory(64, 8, 3)


def test_words_at_first() -> None:
    """Of a memory in two parts, each from its own bits of the word."""
    text = rtlil(WordMemory(8, 3, 2, (0x21, 0x43)), "m")
    assert "connect \\DATA 24'000000000100001100100001\n" in text


def test_memories_apart(pair: Design) -> None:
    whole, files = pair.verilog(), apart(pair)
    assert set(files) == {".v", "_memories.v", "_memories_stub.v"}
    assert f"module {MACRO}(" not in files[".v"]
    assert re.search(rf"^  {MACRO} \w+ \($", files[".v"], re.M)
    (module,) = re.findall(rf"^module {MACRO}\(.*?^endmodule\n", whole, re.S | re.M)
    assert module in files["_memories.v"]
    assert len(files[".v"]) == len(whole) - len(module)
    real, box = (set(PORT.findall(files[f"_memories{name}.v"])) for name in ("", "_stub"))
    assert real == box
    assert len(box) == 8


def test_verilator_takes_a_design_with_its_memories_apart(pair: Design, lint) -> None:
    files = apart(pair)
    for memories in ("_memories.v", "_memories_stub.v"):
        assert lint(files[".v"] + files[memories], pair.name) == []


def test_yosys_knows_the_black_boxes(pair: Design, tmp_path: Path) -> None:
    for suffix, text in apart(pair).items():
        (tmp_path / f"pair{suffix}").write_text(text)
    commands = ["read_verilog pair.v pair_memories_stub.v", "hierarchy -check -top pair"]
    commands += [
        "proc",
        "flatten",
        f"select -assert-count 1 t:{MACRO}",
        "select -assert-none t:$mem*",
    ]
    run_yosys(tmp_path, commands, task="black boxes", timeout=60)


def test_designs_with_like_memories_are_read_behind_each_other(pair: Design, lint) -> None:
    other = Design("other", pair.make)
    text = guarded(pair.verilog()) + guarded(other.verilog())
    assert text.count(f"module {MACRO}(") == 2
    top = "module top; pair one(); other two(); endmodule\n"
    said = [line for line in lint(text + top, "top") if "Duplicate" in line or "MODDUP" in line]
    assert said == []


def test_the_command_writes_them(tmp_path: Path) -> None:
    name = "vector_memory_small"
    result = CliRunner().invoke(
        kllm.app.build_app(), ["verilog", name, "-o", str(tmp_path), "--macros", "--package"]
    )
    assert result.exit_code == 0, result.output
    suffixes = (".v", ".json", ".core", ".sdc", "_memories.v", "_memories_stub.v")
    assert {path.name for path in tmp_path.iterdir()} == {name + suffix for suffix in suffixes}
    assert f"files: [{name}.v, {name}_memories.v]" in (tmp_path / f"{name}.core").read_text()
    told = json.loads((tmp_path / f"{name}.json").read_text())["memories"]
    assert told == describe(point(name))
    (memory,) = told
    assert memory["name"] == "kllm_memory_128x32_w8"
    assert [memory[size] for size in ("bits", "words", "parts")] == [128, 32, 8]
    ports = {port["name"]: port for port in memory["ports"]}
    assert ports["write_en"]["width"] == 8
    assert ports["read_data"]["direction"] == "out"
    assert all(port["about"] for port in ports.values())
