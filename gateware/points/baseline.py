"""Baselines: lanes and arrays that multiply and accumulate, and their parts."""

from functools import partial

from gateware.point import Point, listed
from golden.exact.mac import GROUP
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
from hw.baseline.lanes import make_lane
from hw.baseline.mac_array import MacArray
from hw.baseline.mac_spec import MacSpec
from hw.baseline.scaled_array import ScaledArray
from hw.baseline.tile_queue import TileQueue

ABOUT = {
    "int4": "INT4 x INT4",
    "int8": "INT8 x INT8",
    "dequant": "codes to centroids of 8 bits, INT8 x INT8",
    "figlut": "after FIGLUT, tables of four aligned activations, INT4 weights by bits",
    "fp16": "FP16 products and sums",
}


def compared(arithmetic: str, inputs_max: int = 4096) -> MacSpec:
    """Return the size at which the baselines are compared: 16 input and 16 output lanes."""
    return MacSpec(
        arithmetic=arithmetic, inputs_per_beat=16, output_lanes=16, inputs_max=inputs_max
    )


def tried(arithmetic: str, inputs_per_beat: int = 4, output_lanes: int = 2) -> MacSpec:
    """Return an array of a size for benches."""
    return MacSpec(
        arithmetic=arithmetic,
        inputs_per_beat=inputs_per_beat,
        output_lanes=output_lanes,
        inputs_max=128 * inputs_per_beat,
    )


def make_array(spec: MacSpec) -> MacArray:
    """Return the array of an arithmetic."""
    return (DequantArray if spec.arithmetic == "dequant" else MacArray)(spec)


def _lane(arithmetic: str) -> Point:
    spec = compared(arithmetic)
    return listed(
        f"{arithmetic}_lane",
        partial(make_lane, spec, pipelined=False),
        f"baseline: {spec.inputs_per_beat} products and their sum, combinational:"
        f" {ABOUT[arithmetic]}",
    )


def _array(arithmetic: str) -> Point:
    spec = compared(arithmetic)
    return listed(
        f"{arithmetic}_array",
        partial(make_array, spec),
        f"baseline: {spec.inputs_per_beat} x {spec.output_lanes} array that multiplies and"
        f" accumulates: {ABOUT[arithmetic]}",
    )


INT4 = tried("int4", 16)
GROUPS = MacSpec(arithmetic="int4", inputs_per_beat=4, output_lanes=8, inputs_max=36)

PRODUCTS = "baseline.bench_products"

POINTS = (
    *map(_lane, ABOUT),
    *map(_array, ABOUT),
    listed(
        "int4_scaled_array",
        partial(ScaledArray, compared("int4", GROUP)),
        f"baseline: the INT4 array with FP16 scales for groups of {GROUP} input channels",
    ),
    Point("integer_lane_int4", partial(IntegerLane, 16, 4, 4), bench=PRODUCTS),
    Point(
        "integer_lane_int4_pipelined",
        partial(IntegerLane, 16, 4, 4, pipelined=True),
        bench=PRODUCTS,
    ),
    Point("integer_lane_int8", partial(IntegerLane, 4, 8, 8), bench=PRODUCTS),
    Point(
        "integer_lane_int8_pipelined",
        partial(IntegerLane, 16, 8, 8, pipelined=True),
        bench=PRODUCTS,
    ),
    Point("integer_operands", partial(IntegerOperands, 16, 4, 4), bench=PRODUCTS),
    Point("integer_accumulator", partial(IntegerAccumulator, 11, 19)),
    Point("integer_accumulator_long", partial(IntegerAccumulator, 19, 27)),
    Point("dequant_operands", partial(DequantOperands, 4), bench=PRODUCTS),
    Point("dequant_lane_4", partial(DequantLane, 4), bench=PRODUCTS),
    Point("dequant_lane_4_pipelined", partial(DequantLane, 4, pipelined=True), bench=PRODUCTS),
    Point("figlut_operands", partial(FiglutOperands, 8, 12), bench=PRODUCTS),
    Point("figlut_lane_8", partial(FiglutLane, 8, 12), bench=PRODUCTS),
    Point("figlut_lane_16_pipelined", partial(FiglutLane, 16, 12, pipelined=True), bench=PRODUCTS),
    Point("fp16_lane_4", partial(Fp16Lane, 4)),
    Point("fp16_lane_4_pipelined", partial(Fp16Lane, 4, pipelined=True)),
    Point("fp16_accumulator", partial(Fp16Accumulator)),
    Point("group_scaler", partial(GroupScaler, GROUPS)),
    Point("scaled_array", partial(ScaledArray, GROUPS)),
    Point("tile_queue", partial(TileQueue, INT4)),
    Point("int4_array_16x2", partial(MacArray, INT4)),
    Point("int8_array_4x2", partial(MacArray, tried("int8"))),
    Point(
        "dequant_array_4x2",
        partial(DequantArray, tried("dequant")),
        bench="baseline.bench_mac_array",
    ),
    Point("figlut_array_8x2", partial(MacArray, tried("figlut", 8))),
    Point("fp16_array_4x1", partial(MacArray, tried("fp16", 4, 1))),
)
