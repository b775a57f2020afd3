"""Every block's bench, on the simulator that SIM names; a few on both."""

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from gateware.point import Point
from gateware.points import POINTS, collect
from hw.chip.chip_core import ChipCore
from hw.stream.component import Component
from sim.kit.launch import run_bench
from sim.kit.simulators import choose_simulator

ROOT = Path(__file__).resolve().parent.parent
# Builds cost ten seconds each, so only few are tried there: memories, handshakes, arithmetic.
ON_BOTH = ("token_ingest_k4", "output_scaler", "index_softmax_l4")
SLOW_ON_BOTH = ("stream_engine", "frame_reader")
RUN_BY_COMMAND = {f"sim.benches.run.bench_{name}_run" for name in ("chip", "layer", "orizuru")}


TRIED = {name: one for name, one in POINTS.items() if one.bench is not None}
# Whole engines, and a few large parts, take half a minute of the processor's time or more. `make
# test` tries one engine of each kind but FP16 counters, of which it tries all parts, and smaller
# sizes of parts; `make test-all` has the others, too.
SLOW = (
    *("lookup_engine_plain", "lookup_engine_a5", "lookup_engine_a5_symmetric", "lookup_engine_a8"),
    "stream_engine",  # frame_reader is what it adds
    # Tokens of lookup_engine_together bring factors along.
    *("lookup_engine_symmetric", "lookup_engine_a8_symmetric", "lookup_engine_factor"),
    *("sequencer_edge", "instruction_fetch_edge", "vector_sum_4", "index_histogram_l1"),
    *("counter_engine_plain", "counter_engine_symmetric"),
    *("fp16_counter_engine_plain", "fp16_counter_engine_symmetric", "fp16_counter_array"),
    *("vector_unit_4", "vector_unit_2_of_4", "vector_unit_4_of_4"),
    *("cache_quantizer_2", "cache_quantizer_4"),
    *("counter_array", "compensation_array"),  # parts of counter_engine_folded
    *(name for name in TRIED if name.endswith("_wide") and hasattr(TRIED[name].make(), "step")),
    *("axi_reader_1024", "axi_writer_1024", "read_share_1024"),
    # Other forms of parts that are tried in one or two.
    *("lookup_array_a8_plain", "token_quantizer_a8_plain", "token_quantizer_a5"),
    *("residual_builder_a8_plain", "clustering_unit_a5_symmetric", "row_maker_plain"),
    *("orizuru_tree_levels", "orizuru_stream_heap", "quick_select_p8", "counter_line_plain"),
    "integer_lane_int8_pipelined",
    # Rows and vectors of 4096 elements.
    *("score_quantizer", "index_softmax", "index_histogram", "index_sum", "index_mean_square"),
    *("bitonic_top_k_p16", "output_scaler_wide", "fp16_count_tree_32", "fp16_output_stage_2"),
)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in TRIED]
)
def test_bench(name: str, needs: Callable[[str], None]) -> None:
    simulator = choose_simulator()
    needs(simulator)
    run_bench(name, simulator=simulator)


@pytest.mark.parametrize(
    "name", [*ON_BOTH, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW_ON_BOTH)]
)
def test_bench_on_the_other_simulator(name: str, needs: Callable[[str], None]) -> None:
    other = "icarus" if choose_simulator() == "verilator" else "verilator"
    needs(other)
    run_bench(name, simulator=other)


def components() -> Iterator[type[Component]]:
    for path in sorted((ROOT / "hw").rglob("*.py")):
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for _, kind in inspect.getmembers(module, inspect.isclass):
            # A class without logic is there for others to derive from.
            if issubclass(kind, Component) and kind.__module__ == module.__name__:
                if kind.build is not Component.build and not inspect.isabstract(kind):
                    yield kind


def test_every_component_has_a_bench() -> None:
    tried = {type(one.make()) for one in TRIED.values()} | {ChipCore}  # all that Chip is
    lack = {kind.__name__ for kind in components()} - {kind.__name__ for kind in tried}
    assert not lack, "no point in gateware/points that has a bench for these"


def test_slow_benches_exist() -> None:
    assert set(SLOW) <= set(TRIED)


def test_every_bench_is_run() -> None:
    written = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "sim" / "benches").rglob("bench_*.py")
    }
    assert written - RUN_BY_COMMAND == {one.bench_module for one in TRIED.values()}


def test_names_are_unique() -> None:
    one = POINTS["reciprocal"]
    with pytest.raises(ValueError, match="two points are called reciprocal"):
        collect([*POINTS.values(), Point("reciprocal", one.make)])
    assert list(collect([*POINTS.values()])) == list(POINTS)


def test_a_bench_stands_where_its_component_does() -> None:
    assert POINTS["reciprocal"].bench_module == "sim.benches.token.bench_reciprocal"
    assert POINTS["fp16_add"].bench_module == "sim.benches.fp16.bench_fp16_arithmetic"
    assert POINTS["minilm"].bench_module is None


def test_rooms_of_points_are_those_of_hw() -> None:
    for path in (ROOT / "gateware" / "points").glob("[a-z]*.py"):
        room = "hw." + path.stem.replace("_", ".", 1)
        kinds = {type(one.make()).__module__.rpartition(".")[0] for one in rooms(path.stem)}
        assert kinds == {room}, f"{path}: points of {kinds}"


def rooms(name: str) -> tuple[Point, ...]:
    return import_module(f"gateware.points.{name}").POINTS
