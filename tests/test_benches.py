"""Every block's bench, on the simulator that SIM names; a few on both."""

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from amaranth.lib.wiring import Component

from sim.kit.launch import run_block
from sim.kit.simulators import choose_simulator
from sim.registry import BLOCKS

ROOT = Path(__file__).resolve().parent.parent
# Builds cost ten seconds each, so only two are tried there: memories, handshakes, arithmetic.
ON_BOTH = ("token_ingest_k4", "output_scaler")
RUN_BY_COMMAND = {"bench_layer_run", "bench_orizuru_run"}


@pytest.mark.parametrize("name", BLOCKS)
def test_block(name: str, needs: Callable[[str], None]) -> None:
    simulator = choose_simulator()
    needs(simulator)
    run_block(name, simulator=simulator)


@pytest.mark.parametrize("name", ON_BOTH)
def test_block_on_the_other_simulator(name: str, needs: Callable[[str], None]) -> None:
    other = "icarus" if choose_simulator() == "verilator" else "verilator"
    needs(other)
    run_block(name, simulator=other)


def components() -> Iterator[type[Component]]:
    for path in sorted((ROOT / "hw").rglob("*.py")):
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for _, kind in inspect.getmembers(module, inspect.isclass):
            # A class without logic is there for others to derive from.
            is_whole = issubclass(kind, Component) and hasattr(kind, "elaborate")
            if is_whole and kind.__module__ == module.__name__:
                yield kind


def test_every_component_has_a_bench() -> None:
    tried = {type(block.make()) for block in BLOCKS.values()}
    lack = {kind.__name__ for kind in components()} - {kind.__name__ for kind in tried}
    assert not lack, "no bench in sim/blocks for these"


def test_every_bench_is_run() -> None:
    written = {path.stem for path in (ROOT / "sim" / "benches").rglob("bench_*.py")}
    assert written - RUN_BY_COMMAND == {block.bench for block in BLOCKS.values()}
