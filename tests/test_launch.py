"""The launcher: what passes, what must not, and what it says about it."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from amaranth.lib import wiring

from gateware.emit import simulation_verilog
from golden.base.errors import InputError, ToolError
from sim.kit.launch import BenchError, Run, check_results, run_bench, simulate
from sim.kit.simulators import SIMULATORS, choose_simulator, control_file, many

COUNTER = """
module counter(clk, rst, count);
  input clk, rst;
  output [3:0] count;
  reg [3:0] count = 0;
  always @(posedge clk) count <= rst ? 4'd0 : count + 4'd1;
endmodule
"""
HEAD = """
import cocotb
from sim.kit.clock import next_cycle, reset, start_clock
"""
COUNTS = f"""{HEAD}
@cocotb.test(timeout_time=1, timeout_unit="us")
async def counts(dut):
    start_clock(dut)
    await reset(dut)
    await next_cycle(dut, 5)
    assert int(dut.count.value) == 4
"""


@pytest.fixture(autouse=True)
def simulators(request: pytest.FixtureRequest, needs: Callable[[str], None]) -> None:
    """Skip what cannot run here."""
    callspec = getattr(request.node, "callspec", None)
    needs(callspec.params.get("simulator", "icarus") if callspec else "icarus")


def launch(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bench: str,
    *,
    verilog: str = COUNTER,
    simulator: str = "icarus",
    **options,
) -> Run:
    """Run a bench of this text on the counter."""
    (tmp_path / "bench_text.py").write_text(bench)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sim.kit.launch.BUILD", tmp_path)
    return simulate("try", verilog, "bench_text", top="counter", simulator=simulator, **options)


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_passing_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, simulator: str) -> None:
    before = dict(os.environ)
    run = launch(tmp_path, monkeypatch, COUNTS, simulator=simulator, seed=7, waves=True)
    assert run.tests == ("counts",)
    assert (run.simulator, run.seed) == (simulator, 7)
    assert run.folder == tmp_path / f"try-{simulator}"
    assert run.waves is not None
    assert run.waves.stat().st_size > 0
    assert run.waves.suffix == {"icarus": ".fst", "verilator": ".vcd"}[simulator]
    assert dict(os.environ) == before


def test_no_waves_unless_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAVES", "0")
    assert launch(tmp_path, monkeypatch, COUNTS).waves is None
    assert not list(tmp_path.rglob("*.fst"))
    monkeypatch.setenv("WAVES", "1")
    waves = launch(tmp_path, monkeypatch, COUNTS).waves
    assert waves is not None
    assert waves.exists()


def test_failing_test_is_named_with_its_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BenchError, match=r"try on icarus, seed 5: counts .*run\.log"):
        launch(tmp_path, monkeypatch, COUNTS.replace("== 4", "== 3"), seed=5)


def test_values_that_differ_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compare = "np.testing.assert_array_equal([[1, 2], [3, int(dut.count.value)]], [[1, 2], [3, 7]])"
    bench = COUNTS.replace("assert int(dut.count.value) == 4", compare)
    with pytest.raises(BenchError, match=r"counts .*\[1, 1\]: 4 \(ACTUAL\), 7 \(DESIRED\)\); see"):
        launch(tmp_path, monkeypatch, "import numpy as np\n" + bench)


def test_failing_block_says_how_to_repeat_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block in the place of another one: its bench must fail."""
    monkeypatch.setattr("sim.kit.launch.BUILD", tmp_path)
    monkeypatch.setattr("sim.kit.launch.text_of", broken_text)
    again = r"again with `SIM=icarus COCOTB_RANDOM_SEED=3 pytest '.*::test_bench\[fp16_key\]'`"
    with pytest.raises(BenchError, match=again):
        run_bench("fp16_key", simulator="icarus", seed=3)


def broken_text(component: wiring.Component, name: str) -> str:
    text = simulation_verilog(component, name)
    assert "~" in text
    return text.replace("~", "", 1)


def test_seed_reaches_the_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = (
        f"{HEAD}\nfrom pathlib import Path\n@cocotb.test()\nasync def seed(dut):\n"
        "    Path('seed').write_text(str(cocotb.RANDOM_SEED))\n"
    )

    def drawn(**options) -> tuple[int, str]:
        run = launch(tmp_path, monkeypatch, bench, **options)
        return run.seed, (run.folder / "seed").read_text()

    monkeypatch.delenv("COCOTB_RANDOM_SEED", raising=False)
    first = drawn()
    assert first == drawn()
    monkeypatch.setenv("COCOTB_RANDOM_SEED", "99")
    seed, text = drawn()
    assert seed == 99
    assert text != first[1]
    assert drawn(seed=first[0]) == first
    monkeypatch.setenv("COCOTB_RANDOM_SEED", "ninety")
    with pytest.raises(InputError, match="COCOTB_RANDOM_SEED must be a whole number"):
        drawn()


def test_environment_reaches_the_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = (
        f"{HEAD}\nimport os\n@cocotb.test()\nasync def sees(dut):\n"
        "    assert os.environ['WANTED'] == 'this'\n"
    )
    monkeypatch.setenv("WANTED", "that")
    launch(tmp_path, monkeypatch, bench, environment={"WANTED": "this"})


def test_bench_without_tests_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolError):
        launch(tmp_path, monkeypatch, HEAD)


def test_bench_that_only_skips_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BenchError, match=r"skipped|no tests"):
        launch(tmp_path, monkeypatch, COUNTS.replace("test(", "test(skip=True, "))


def test_bench_that_cannot_be_imported_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ToolError, match=r"run\.log"):
        launch(tmp_path, monkeypatch, "import no_such_module")


def test_dead_simulation_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = f"{HEAD}\nimport os\n@cocotb.test()\nasync def dies(dut):\n    os._exit(3)\n"
    with pytest.raises(ToolError, match="ended with status 3"):
        launch(tmp_path, monkeypatch, bench)


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_bad_verilog_is_a_tool_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, simulator: str
) -> None:
    broken = COUNTER.replace("endmodule", "")
    with pytest.raises(ToolError, match=rf"try on {simulator}: .* status .*build\.log"):
        launch(tmp_path, monkeypatch, COUNTS, verilog=broken, simulator=simulator)


@pytest.mark.parametrize("waits", ["time.sleep(60)", "while True: pass"])
def test_time_limit_stops_the_simulation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: str
) -> None:
    """Whether it burns the processor's time or does nothing at all."""
    bench = f"{HEAD}\nimport time\n@cocotb.test()\nasync def hangs(dut):\n    {waits}\n"
    monkeypatch.setattr("golden.base.process.IDLE_SECONDS", 3)
    watched = []
    with pytest.raises(ToolError, match="not done at the time limit"):
        launch(tmp_path, monkeypatch, bench, time_limit=2, watch=lambda: watched.append(1))
    assert watched


def test_unchanged_verilog_is_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = launch(tmp_path, monkeypatch, COUNTS).folder / "counter.v"
    os.utime(source, (1, 1))
    launch(tmp_path, monkeypatch, COUNTS)
    assert source.stat().st_mtime == 1
    with pytest.raises(BenchError):
        launch(tmp_path, monkeypatch, COUNTS, verilog=COUNTER.replace("+ 4'd1", "+ 4'd2"))


def test_results_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="left no results"):
        check_results(tmp_path / "results.xml", "this")
    (tmp_path / "results.xml").write_text("<testsuites><testsuite/></testsuites>")
    with pytest.raises(BenchError, match="no tests"):
        check_results(tmp_path / "results.xml", "this")


def test_simulator_is_chosen_by_argument_then_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIM", raising=False)
    assert choose_simulator() == "icarus"
    monkeypatch.setenv("SIM", "verilator")
    assert choose_simulator() == "verilator"
    assert choose_simulator("icarus") == "icarus"
    with pytest.raises(InputError, match="icarus or verilator, got 'questa'"):
        choose_simulator("questa")


def test_missing_simulator_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ToolError, match="iverilog"):
        simulate("x", COUNTER, "x", simulator="icarus")


def test_unknown_block() -> None:
    with pytest.raises(InputError, match="no design 'fp16_keyy'; near are fp16_key"):
        run_bench("fp16_keyy")


def test_control_file_names_the_ports() -> None:
    text = control_file(COUNTER, "counter")
    assert text.splitlines()[0] == "`verilator_config"
    assert 'public_flat_rw -module "counter" -var "count"' in text
    assert text.count("public_flat_rw") == 3
    with pytest.raises(ValueError, match="no module other"):
        control_file(COUNTER, "other")


def test_modules_of_which_there_are_many_are_not_inlined() -> None:
    body = "  wire x;\n" * 200
    leaf = f"module leaf(a);\n{body}endmodule\n"
    cell = "module cell(a);\nendmodule\n"
    four = "".join(
        f"  {part} {part}{n} (\n    .a(a)\n  );\n" for n in range(4) for part in ("leaf", "cell")
    )
    middle = f"module \\mid.dle (a);\n{four}endmodule\n"
    two = "".join(f"  \\mid.dle  m{n} (\n    .a(a)\n  );\n" for n in range(2))
    text = f"module top(a);\n{two}endmodule\n{leaf}{cell}{middle}"
    assert many(text) == ["leaf"]
    assert many(text.replace("m1", "leaf").replace("mid.dle  leaf", "leaf m1")) == []
