"""Resets: in any cycle, in bursts, from any initial state; and benches that notice one lost."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gateware.emit import simulation_verilog
from gateware.points import point
from sim.kit import RESETS
from sim.kit.initial_state import noisy_start
from sim.kit.launch import BenchError, run_bench

SEED = 7
MANY = "12"
BLOCKS = ("queue", "tile_queue", "reciprocal", "token_framer_k4", "orizuru_stream_p1")
ENGINES = (
    "lookup_engine_symmetric",
    "lookup_engine_plain",
    "counter_engine_symmetric",
    "fp16_counter_engine_plain",
)
Needs = Callable[[str], None]


def text_of(name: str) -> str:
    return simulation_verilog(point(name).make(), name)


def run(name: str, text: str, resets: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a bench with so many rounds of resets; the one at its start it always has."""
    monkeypatch.setenv(RESETS, resets)
    run_bench(name, source=text, folder=f"{name}-reset", simulator="icarus", seed=SEED)


@pytest.mark.parametrize("name", BLOCKS)
def test_one_reset_is_enough_in_any_initial_state(
    name: str, needs: Needs, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("icarus")
    run(name, noisy_start(text_of(name), SEED), "0", monkeypatch)


@pytest.mark.slow
def test_an_engine_starts_in_any_initial_state(
    needs: Needs, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("icarus")
    monkeypatch.setenv("COCOTB_TEST_FILTER", "not_numbers")  # its shortest
    run(ENGINES[0], noisy_start(text_of(ENGINES[0]), SEED), "0", monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
def test_engines_are_right_after_many_resets(
    name: str, needs: Needs, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("icarus")
    monkeypatch.setenv("COCOTB_TEST_FILTER", "resets")
    run(name, noisy_start(text_of(name), SEED), MANY, monkeypatch)


def test_noise_is_in_registers_and_written_memories_alone() -> None:
    text = text_of("token_ingest_k4")
    noisy = noisy_start(text, SEED)
    assert noisy == noisy_start(text, SEED) != noisy_start(text, SEED + 1)
    pairs = zip(text.splitlines(), noisy.splitlines(), strict=True)
    changed = [(old, new) for old, new in pairs if old != new]
    assert len(changed) > 50
    for old, new in changed:
        assert re.match(r" +(initial )?\S+( ?\[\d+\])? *= \d+'h", old)
        assert old.partition("=")[0] == new.partition("=")[0]
    rom = "module m;\n  reg [3:0] rom [1:0];\n  initial begin\n    rom[0] = 4'h3;\n  end\n"
    assert noisy_start(rom, SEED) == rom
    start = "  initial \\$start  <= 0;\n"
    assert noisy_start(start, SEED) == start


LOST = {
    "soon after another": ("rst & (age > 2)", "6", False),
    "late": ("rst & (age < 10)", "6", False),
    "the first": ("rst & started", "0", True),
}


@pytest.mark.parametrize("fault", LOST)
def test_benches_notice_a_lost_reset(
    fault: str, tmp_path: Path, needs: Needs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that come so do not reach the registers of a queue."""
    needs("icarus")
    monkeypatch.setattr("sim.kit.launch.BUILD", tmp_path)
    kept, resets, noisy = LOST[fault]
    text = noisy_start(text_of("queue"), SEED) if noisy else text_of("queue")
    counters = """  input rst;
  reg [7:0] age = 0;
  reg was = 0;
  reg started = 0;
  always @(posedge clk) begin
    was <= rst;
    started <= started | (was & ~rst);
    age <= (was & ~rst) ? 0 : age + (age != 255);
  end
"""
    faulty = text.replace("  input rst;\n", counters, 1).replace("= rst ?", f"= ({kept}) ?")
    with pytest.raises(BenchError, match=r"^queue-reset on icarus, seed 7: keeps_order"):
        run("queue", faulty, resets, monkeypatch)
