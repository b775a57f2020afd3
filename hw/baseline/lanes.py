"""Which parts make an array of each arithmetic."""

from typing import Any

from hw.baseline.dequant_lane import DequantLane
from hw.baseline.dequant_operands import DequantOperands
from hw.baseline.figlut_lane import FiglutLane
from hw.baseline.figlut_operands import FiglutOperands
from hw.baseline.fp16_accumulator import Fp16Accumulator
from hw.baseline.fp16_lane import Fp16Lane
from hw.baseline.integer_accumulator import IntegerAccumulator
from hw.baseline.integer_lane import IntegerLane
from hw.baseline.integer_operands import IntegerOperands
from hw.baseline.mac_spec import FIGLUT_ACTIVATION_BITS, MacSpec

BITS = {"int4": 4, "int8": 8}


def make_operands(spec: MacSpec) -> Any:
    """Return what prepares the activations for all lanes; None if these take them as they are.

    Its outputs are inputs of a lane of the same names, one cycle after the weights.
    """
    inputs = spec.inputs_per_beat
    match spec.arithmetic:
        case "fp16":
            return None
        case "figlut":
            return FiglutOperands(inputs, FIGLUT_ACTIVATION_BITS)
        case "dequant":
            return DequantOperands(inputs)
        case _:
            bits = BITS[spec.arithmetic]
            return IntegerOperands(inputs, bits, bits)


def make_lane(spec: MacSpec, *, pipelined: bool) -> Any:
    """Return the logic of one output channel."""
    inputs = spec.inputs_per_beat
    match spec.arithmetic:
        case "fp16":
            return Fp16Lane(inputs, pipelined=pipelined)
        case "figlut":
            return FiglutLane(inputs, FIGLUT_ACTIVATION_BITS, pipelined=pipelined)
        case "dequant":
            return DequantLane(inputs, pipelined=pipelined)
        case _:
            bits = BITS[spec.arithmetic]
            return IntegerLane(inputs, bits, bits, pipelined=pipelined)


def make_accumulator(spec: MacSpec, term_bits: int) -> Any:
    """Return the accumulator of one output channel."""
    return Fp16Accumulator() if spec.floating else IntegerAccumulator(term_bits, spec.result.width)
