"""The FP16 counter engine and its components; the paper gives areas of some."""

from functools import partial
from typing import Any

from gateware.point import BESIDE, Point, listed
from gateware.points.linear_counter import PAPER as PAPER_SIZE
from gateware.points.linear_counter import SIZES
from golden.exact.spec import default_numbers
from hw.linear.counter_fp16.count_multiply import CountMultiply
from hw.linear.counter_fp16.dequant_unit import DequantUnit
from hw.linear.counter_fp16.error_store import ErrorStore
from hw.linear.counter_fp16.error_unit import ErrorUnit
from hw.linear.counter_fp16.fp16_combine import Fp16Combine
from hw.linear.counter_fp16.fp16_compensation_array import Fp16CompensationArray
from hw.linear.counter_fp16.fp16_compensation_mac import Fp16CompensationMac
from hw.linear.counter_fp16.fp16_compensation_sequencer import Fp16CompensationSequencer
from hw.linear.counter_fp16.fp16_count_tree import Fp16CountTree
from hw.linear.counter_fp16.fp16_counter_array import Fp16CounterArray
from hw.linear.counter_fp16.fp16_counter_engine import Fp16CounterEngine
from hw.linear.counter_fp16.fp16_counter_line import Fp16CounterLine
from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec
from hw.linear.counter_fp16.fp16_output_stage import Fp16OutputStage
from hw.linear.counter_fp16.fp16_pair_add import Fp16PairAdd
from hw.linear.counter_fp16.fp16_quantizer import Fp16Quantizer
from hw.linear.counter_fp16.fp16_row_requester import Fp16RowRequester
from hw.linear.counter_fp16.fp16_tile_reader import Fp16TileReader
from hw.linear.counter_fp16.fp16_token_scale import Fp16TokenScale

BENCH: dict[str, Any] = dict(
    inputs_per_beat=4, output_lanes=2, inputs_max=32, outliers_max=4, counters=2, counter_inputs=4
)


def fp16_spec(size: dict[str, Any], *, symmetric: bool = False) -> Fp16CounterSpec:
    """Return the parameters of a size."""
    return Fp16CounterSpec(numbers=default_numbers(symmetric=symmetric), **size)


def small_fp16(
    *, symmetric: bool, scale_lanes: int = 1, compensation_macs: int = 2
) -> Fp16CounterSpec:
    """Return an engine of a size for benches: two blocks of output channels."""
    lanes = dict(scale_lanes=scale_lanes, compensation_macs=compensation_macs)
    return fp16_spec(BENCH | lanes | dict(outputs_max=32 * compensation_macs), symmetric=symmetric)


def _part(name: str, make: partial, about: str, **options: Any) -> Point:
    return listed(name, make, f"{about} of the paper's counter engine, FP16", **options)


ENGINE = fp16_spec(SIZES["counter_small"])
PAPER = fp16_spec(PAPER_SIZE)
SMALL = small_fp16(symmetric=False)
SMALL_SYMMETRIC = small_fp16(symmetric=True)
TWO_AT_ONCE = small_fp16(symmetric=False, scale_lanes=2)
ONE_MAC = small_fp16(symmetric=False, compensation_macs=1)
ONE_MAC_SYMMETRIC = small_fp16(symmetric=True, compensation_macs=1)

POINTS = (
    listed(
        "counter_fp16_small",
        partial(Fp16CounterEngine, ENGINE),
        f"FP16 counter engine, {ENGINE.output_lanes} lines of {ENGINE.pairs} pairs,"
        f" plain codebooks, K and N up to {ENGINE.inputs_max} and {ENGINE.outputs_max}",
    ),
    _part(
        "fp16_count_tree",
        partial(Fp16CountTree, tree_lanes=PAPER.tree_lanes, count_bits=PAPER.count_bits),
        "a line's tree of 32 products",
    ),
    _part(
        "fp16_compensation_mac", partial(Fp16CompensationMac, slots=PAPER.slots), "compensation MAC"
    ),
    Point("count_multiply_6", partial(CountMultiply, 6)),
    Point("count_multiply_11", partial(CountMultiply, 11, pipelined=True)),
    Point("count_multiply_12", partial(CountMultiply, 12)),
    Point("count_multiply_15", partial(CountMultiply, 15, pipelined=True)),
    Point("fp16_pair_add", partial(Fp16PairAdd)),
    Point("fp16_count_tree_32", partial(Fp16CountTree, 32, 7)),
    Point("fp16_count_tree_4", partial(Fp16CountTree, 4, 13)),
    _part("dequant_unit", partial(DequantUnit), "Dequant Unit", bench=BESIDE),
    _part("error_unit", partial(ErrorUnit), "error-calculation unit", bench=BESIDE),
    Point("fp16_compensation_mac_6", partial(Fp16CompensationMac, 6)),
    Point("fp16_compensation_mac_8", partial(Fp16CompensationMac, 8)),
    Point("fp16_token_scale", partial(Fp16TokenScale)),
    Point("fp16_combine", partial(Fp16Combine)),
    Point(
        "fp16_counter_line",
        partial(Fp16CounterLine, SMALL),
        bench="linear.counter.bench_counter_line",
    ),
    Point(
        "fp16_counter_array",
        partial(Fp16CounterArray, SMALL),
        bench="linear.counter.bench_counter_array",
    ),
    Point("fp16_quantizer", partial(Fp16Quantizer, SMALL), bench="token.bench_token_quantizer"),
    Point(
        "fp16_row_requester",
        partial(Fp16RowRequester, SMALL),
        bench="linear.counter.bench_counter_requester",
    ),
    Point(
        "fp16_counter_engine_plain",
        partial(Fp16CounterEngine, ONE_MAC),
        bench="linear.bench_engine",
    ),
    Point(
        "fp16_counter_engine_symmetric",
        partial(Fp16CounterEngine, ONE_MAC_SYMMETRIC),
        bench="linear.bench_engine",
    ),
    Point(
        "fp16_compensation_sequencer",
        partial(Fp16CompensationSequencer, SMALL),
        bench="linear.bench_sequencer",
    ),
    Point("fp16_compensation_array", partial(Fp16CompensationArray, SMALL)),
    Point("fp16_tile_reader", partial(Fp16TileReader, SMALL)),
    Point("error_store_plain", partial(ErrorStore, SMALL), bench="token.bench_residual_builder"),
    Point(
        "error_store_symmetric",
        partial(ErrorStore, SMALL_SYMMETRIC),
        bench="token.bench_residual_builder",
    ),
    Point("fp16_output_stage_1", partial(Fp16OutputStage, SMALL)),
    Point("fp16_output_stage_2", partial(Fp16OutputStage, TWO_AT_ONCE)),
)
