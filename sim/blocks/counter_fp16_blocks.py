"""Components of the FP16 counter engine, as the benches try them."""

from hw.counter_fp16.count_multiply import CountMultiply
from hw.counter_fp16.dequant_unit import DequantUnit
from hw.counter_fp16.error_unit import ErrorUnit
from hw.counter_fp16.fp16_combine import Fp16Combine
from hw.counter_fp16.fp16_compensation_mac import Fp16CompensationMac
from hw.counter_fp16.fp16_count_tree import Fp16CountTree
from hw.counter_fp16.fp16_pair_add import Fp16PairAdd
from hw.counter_fp16.fp16_token_scale import Fp16TokenScale
from sim.blocks.block import Block

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
}
