"""Baseline arrays and their lanes, as the benches try them."""

from hw.mac.integer_lane import IntegerLane
from hw.mac.integer_operands import IntegerOperands
from sim.blocks.block import Block

MAC_BLOCKS = {
    "integer_lane_int4": Block("bench_integer_lane", lambda: IntegerLane(16, 4, 4)),
    "integer_lane_int8": Block("bench_integer_lane", lambda: IntegerLane(4, 8, 8)),
    "integer_operands": Block("bench_integer_operands", lambda: IntegerOperands(16, 4, 4)),
}
