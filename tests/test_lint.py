"""Emitted Verilog and linters: Verilator with all warnings, pyslang and Icarus have none."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gateware.emit import INTENDED, verilog
from gateware.points import point
from sim.kit.launch import run_bench

Lint = Callable[[str, str], list[str]]
ENGINE = "tiny_symmetric"
# Memories, one of them of one word; lanes, rounding, sign extension; an engine of outliers.
NAMES = (
    "channel_memory_1",
    "queue",
    "tile_queue",
    "fp16_add_pipelined",
    "output_scaler",
    "bitonic_top_k_p1",
    "orizuru_unit",
    "bin_merge_16",
    "clustering_unit_symmetric",
)


@pytest.fixture(scope="module")
def engine() -> str:
    return point(ENGINE).verilog()


def check(lint: Lint, text: str, name: str) -> None:
    """Hold a design to the warnings that it says are meant so; of unused signals to bits alone."""
    assert "[-1:0]" not in text
    for line in lint(re.sub(r"// verilator lint_off .*", "", text), name):
        kind = line.removeprefix("Warning-").split(":")[0]
        assert kind in INTENDED, line
        assert kind != "UNUSEDSIGNAL" or "Bits of signal are not used" in line, line


@pytest.mark.parametrize("name", NAMES)
def test_designs_have_no_warnings_but_those_meant(name: str, lint: Lint) -> None:
    check(lint, point(name).verilog(), name)


def test_an_engine_has_no_warnings_but_those_meant(engine: str, lint: Lint) -> None:
    check(lint, engine, ENGINE)
    assert lint(engine, ENGINE) == []


def test_icarus_takes_an_engine_without_a_word(engine: str, tmp_path: Path) -> None:
    if shutil.which("iverilog") is None:
        pytest.skip("no iverilog: install the package iverilog")
    (tmp_path / "engine.v").write_text(engine)
    command = ["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-o", "/dev/null", "engine.v"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_pyslang_takes_an_engine_without_a_word(engine: str) -> None:
    pyslang = pytest.importorskip("pyslang")
    tree = pyslang.SyntaxTree.fromText(engine)
    compilation = pyslang.Compilation()
    compilation.addSyntaxTree(tree)
    found = list(compilation.getAllDiagnostics())
    assert not found, pyslang.DiagnosticEngine.reportAll(tree.sourceManager, found)


def test_a_linter_finds_what_is_not_meant(lint: Lint) -> None:
    """An operand too narrow, a signal of no use, an initial value: each is told."""
    text = """module m(input clk, input [3:0] a, output reg y = 0);
  wire spare;
  assign spare = a[1];
  always @(posedge clk) y <= a == 2'h1;
endmodule
"""
    said = lint(text, "m")
    kinds = {line.split(":")[0].removeprefix("Warning-") for line in said}
    assert kinds == {"WIDTHEXPAND", "UNUSEDSIGNAL", "PROCASSINIT"}


@pytest.mark.parametrize("every_name", [False, True])
@pytest.mark.parametrize("name", ["channel_memory_1", "bitonic_top_k_p1", "bin_merge"])
def test_emitted_text_passes_the_bench(
    name: str, every_name: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, needs
) -> None:
    """Both as people get it and as waveforms show it; benches otherwise run what is faster."""
    needs("icarus")
    monkeypatch.setattr("sim.kit.launch.BUILD", tmp_path)
    text = verilog(point(name).make(), name, every_name=every_name)
    assert "[-1:0]" not in text
    run_bench(name, source=text, simulator="icarus")
