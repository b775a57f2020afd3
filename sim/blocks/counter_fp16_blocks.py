"""Components of the FP16 counter engine, as the benches try them."""

from golden.exact.spec import NumberSpec
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
from hw.linear.shell.layer_constants import LayerConstants
from sim.blocks.block import Block


def small_fp16(
    *, symmetric: bool, scale_lanes: int = 1, compensation_macs: int = 2
) -> Fp16CounterSpec:
    """Return an FP16 counter engine of a size for benches: two blocks of output channels."""
    return Fp16CounterSpec(
        numbers=NumberSpec(symmetric=symmetric, magnitude_bits=8 if symmetric else 9),
        inputs_per_beat=4,
        output_lanes=2,
        inputs_max=32,
        outputs_max=32 * compensation_macs,
        outliers_max=4,
        scale_lanes=scale_lanes,
        counters=2,
        counter_inputs=4,
        compensation_macs=compensation_macs,
    )


SMALL = small_fp16(symmetric=False)
SMALL_SYMMETRIC = small_fp16(symmetric=True)
TWO_AT_ONCE = small_fp16(symmetric=False, scale_lanes=2)
ENGINE = small_fp16(symmetric=False, compensation_macs=1)
SYMMETRIC_ENGINE = small_fp16(symmetric=True, compensation_macs=1)

COUNTER_FP16_BLOCKS = {
    "count_multiply_6": Block("bench_count_multiply", lambda: CountMultiply(6)),
    "count_multiply_11": Block("bench_count_multiply", lambda: CountMultiply(11, pipelined=True)),
    "count_multiply_12": Block("bench_count_multiply", lambda: CountMultiply(12)),
    "count_multiply_15": Block("bench_count_multiply", lambda: CountMultiply(15, pipelined=True)),
    "fp16_pair_add": Block("bench_fp16_pair_add", Fp16PairAdd),
    "fp16_count_tree_32": Block("bench_fp16_count_tree", lambda: Fp16CountTree(32, 7)),
    "fp16_count_tree_4": Block("bench_fp16_count_tree", lambda: Fp16CountTree(4, 13)),
    "dequant_unit": Block("bench_dequant_unit", DequantUnit),
    "error_unit": Block("bench_error_unit", ErrorUnit),
    "fp16_compensation_mac_6": Block("bench_fp16_compensation_mac", lambda: Fp16CompensationMac(6)),
    "fp16_compensation_mac_8": Block("bench_fp16_compensation_mac", lambda: Fp16CompensationMac(8)),
    "fp16_token_scale": Block("bench_fp16_token_scale", Fp16TokenScale),
    "fp16_combine": Block("bench_fp16_combine", Fp16Combine),
    "fp16_counter_line": Block("bench_counter_line", lambda: Fp16CounterLine(SMALL)),
    "fp16_counter_array": Block("bench_counter_array", lambda: Fp16CounterArray(SMALL)),
    "fp16_quantizer": Block("bench_token_quantizer", lambda: Fp16Quantizer(SMALL)),
    "fp16_row_requester": Block("bench_counter_requester", lambda: Fp16RowRequester(SMALL)),
    "fp16_counter_engine_plain": Block(
        "bench_fp16_counter_engine", lambda: Fp16CounterEngine(ENGINE)
    ),
    "fp16_counter_engine_symmetric": Block(
        "bench_fp16_counter_engine", lambda: Fp16CounterEngine(SYMMETRIC_ENGINE)
    ),
    "fp16_compensation_sequencer": Block(
        "bench_fp16_compensation_sequencer", lambda: Fp16CompensationSequencer(SMALL)
    ),
    "fp16_compensation_array": Block(
        "bench_fp16_compensation_array", lambda: Fp16CompensationArray(SMALL)
    ),
    "fp16_tile_reader": Block("bench_fp16_tile_reader", lambda: Fp16TileReader(SMALL)),
    "error_store_plain": Block("bench_error_store", lambda: ErrorStore(SMALL)),
    "error_store_symmetric": Block("bench_error_store", lambda: ErrorStore(SMALL_SYMMETRIC)),
    "fp16_constants": Block("bench_layer_constants", lambda: LayerConstants(SMALL)),
    "fp16_output_stage_1": Block("bench_fp16_output_stage", lambda: Fp16OutputStage(SMALL)),
    "fp16_output_stage_2": Block("bench_fp16_output_stage", lambda: Fp16OutputStage(TWO_AT_ONCE)),
}
