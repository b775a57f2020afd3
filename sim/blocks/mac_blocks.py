"""Baseline arrays and their parts, as the benches try them."""

from functools import partial

from hw.baseline.dequant_array import DequantArray
from hw.baseline.dequant_lane import DequantLane
from hw.baseline.dequant_operands import DequantOperands
from hw.baseline.figlut_lane import FiglutLane
from hw.baseline.figlut_operands import FiglutOperands
from hw.baseline.fp16_accumulator import Fp16Accumulator
from hw.baseline.fp16_lane import Fp16Lane
from hw.baseline.group_scaler import GroupScaler
from hw.baseline.integer_accumulator import IntegerAccumulator
from hw.baseline.integer_lane import IntegerLane
from hw.baseline.integer_operands import IntegerOperands
from hw.baseline.mac_array import MacArray
from hw.baseline.mac_spec import MacSpec
from hw.baseline.scaled_array import ScaledArray
from hw.baseline.tile_queue import TileQueue
from sim.blocks.block import Block


def mac_spec(arithmetic: str, inputs_per_beat: int = 4, output_lanes: int = 2) -> MacSpec:
    """Return an array of a size for benches."""
    return MacSpec(
        arithmetic=arithmetic,
        inputs_per_beat=inputs_per_beat,
        output_lanes=output_lanes,
        inputs_max=128 * inputs_per_beat,
    )


INT4 = mac_spec("int4", 16)
INT8 = mac_spec("int8")
GROUPS = MacSpec(arithmetic="int4", inputs_per_beat=4, output_lanes=8, inputs_max=36)

MAC_BLOCKS = {
    "integer_lane_int4": Block("bench_integer_lane", lambda: IntegerLane(16, 4, 4)),
    "integer_lane_int4_pipelined": Block(
        "bench_integer_lane", lambda: IntegerLane(16, 4, 4, pipelined=True)
    ),
    "integer_lane_int8": Block("bench_integer_lane", lambda: IntegerLane(4, 8, 8)),
    "integer_lane_int8_pipelined": Block(
        "bench_integer_lane", lambda: IntegerLane(16, 8, 8, pipelined=True)
    ),
    "integer_operands": Block("bench_integer_operands", lambda: IntegerOperands(16, 4, 4)),
    "integer_accumulator": Block("bench_integer_accumulator", lambda: IntegerAccumulator(11, 19)),
    "integer_accumulator_long": Block(
        "bench_integer_accumulator", lambda: IntegerAccumulator(19, 27)
    ),
    "dequant_operands": Block("bench_dequant_operands", lambda: DequantOperands(4)),
    "dequant_lane": Block("bench_dequant_lane", lambda: DequantLane(4)),
    "dequant_lane_pipelined": Block("bench_dequant_lane", lambda: DequantLane(4, pipelined=True)),
    "figlut_operands": Block("bench_figlut_operands", lambda: FiglutOperands(8, 12)),
    "figlut_lane": Block("bench_figlut_lane", lambda: FiglutLane(8, 12)),
    "figlut_lane_pipelined": Block("bench_figlut_lane", lambda: FiglutLane(16, 12, pipelined=True)),
    "fp16_lane": Block("bench_fp16_lane", lambda: Fp16Lane(4)),
    "fp16_lane_pipelined": Block("bench_fp16_lane", lambda: Fp16Lane(4, pipelined=True)),
    "fp16_accumulator": Block("bench_fp16_accumulator", Fp16Accumulator),
    "group_scaler": Block("bench_group_scaler", lambda: GroupScaler(GROUPS)),
    "scaled_array": Block("bench_scaled_array", lambda: ScaledArray(GROUPS)),
    "tile_queue": Block("bench_tile_queue", lambda: TileQueue(INT4)),
    "int4_array": Block("bench_mac_array", partial(MacArray, INT4)),
    "int8_array": Block("bench_mac_array", partial(MacArray, INT8)),
    "dequant_array": Block("bench_mac_array", partial(DequantArray, mac_spec("dequant"))),
    "figlut_array": Block("bench_mac_array", partial(MacArray, mac_spec("figlut", 8))),
    "fp16_array": Block("bench_mac_array", partial(MacArray, mac_spec("fp16", 4, 1))),
}
