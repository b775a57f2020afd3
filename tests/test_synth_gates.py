"""Gates do what the Verilog does: each block's own bench runs on its netlist."""

import re
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from typer.testing import CliRunner

import kllm.app
from gateware.points import point
from gateware.points.chip import CHIPS
from golden.base.errors import InputError
from golden.chip.compiler import compile_decoder
from golden.chip.machine import Machine
from sim.harness.chip_run import MemoryModel, Start, build_chip, run_chip
from sim.kit.launch import BUILD, BenchError, run_bench
from sim.kit.random_decoder import random_decoder
from synth.libraries.liberty import Library
from synth.power.gates import gate_verilog

# Arithmetic, registers, handshakes, a memory, and components in components.
SMALL = ("fp16_add", "sorted_list", "lookup_lane_symmetric", "token_buffer", "orizuru_unit_2")


@cache
def gates_of(name: str, library: Library) -> str:
    return gate_verilog(point(name), library)


@pytest.mark.parametrize("name", SMALL)
def test_bench_passes_on_gates(name: str, library: Library, needs: Callable[[str], None]) -> None:
    needs("icarus")
    gates = gates_of(name, library)
    assert run_bench(name, source=gates, folder=f"{name}_gates", simulator="icarus").tests


def test_a_wrong_gate_is_found(library: Library, needs: Callable[[str], None]) -> None:
    """One gate in the middle is inverted."""
    needs("icarus")
    gates = gates_of("sorted_list", library)
    assigned = list(re.finditer(r"^  assign _\d+_ = ", gates, re.M))
    end = assigned[len(assigned) // 2].end()
    semicolon = gates.index(";", end)
    wrong = f"{gates[:end]}!({gates[end:semicolon]}){gates[semicolon:]}"
    with pytest.raises(BenchError):
        run_bench("sorted_list", source=wrong, folder="sorted_list_wrong", simulator="icarus")


def test_gates_are_gates(library: Library) -> None:
    """Registers and single gates: no operator wider than a bit is left."""
    gates = gates_of("fp16_add_pipelined", library)
    assert not re.search(r"[^<]=[^;]* [-+*<>] ", gates.replace("<=", "="))
    assert gates.count("always @(posedge clk)") > 50
    assert "module \\fp16_add_pipelined (" in gates


def test_command(library: Library, needs: Callable[[str], None]) -> None:
    needs("icarus")

    def run(*arguments: str):
        return CliRunner().invoke(kllm.app.build_app(), ["gates", *arguments])

    assert "fp16_compare" in run("--list").output
    result = run("fp16_compare", "--simulator", "icarus")
    assert result.exit_code == 0, result.output
    assert "fp16_compare: " in result.output
    assert "on gates of osu018_stdcells" in result.output
    for arguments in ([], ["nothing"]):
        assert isinstance(run(*arguments).exception, InputError)


@pytest.mark.slow
def test_the_gates_of_a_chip_write_a_token(library: Library, needs: Callable[[str], None]) -> None:
    """They run a made-up decoder of two layers; all of memory is the golden machine's."""
    needs("verilator")
    name = "chip_tiny"
    spec = CHIPS[name]
    program = build_chip(BUILD / f"{name}-gates", gates_of(name, library), name)
    compiled = compile_decoder(random_decoder(np.random.default_rng(5)), spec.shape)
    image = compiled.with_tokens([17])
    start = Start(program=compiled.program, tokens=compiled.tokens, known=1, limit=1)
    memory = MemoryModel(latency=5, stall=0.1)
    run = run_chip(program, spec, image, start, memory, cycles=1 << 16)
    machine = Machine(spec.shape, image)
    token = machine.run(compiled.program, known=1)
    assert [one.token for one in run.chosen] == [token]
    assert (run.fault, run.memory) == ("none", machine.memory.tobytes())
