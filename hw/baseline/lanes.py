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

# What prepares the activations for all lanes, a lane, and their sizes beside the inputs.
PARTS: dict[str, tuple[Any, Any, tuple[int, ...]]] = {
    "fp16": (None, Fp16Lane, ()),
    "figlut": (FiglutOperands, FiglutLane, (FIGLUT_ACTIVATION_BITS,)),
    "dequant": (DequantOperands, DequantLane, ()),
    "int4": (IntegerOperands, IntegerLane, (4, 4)),
    "int8": (IntegerOperands, IntegerLane, (8, 8)),
}


def make_operands(spec: MacSpec) -> Any:
    """Return what prepares the activations for all lanes; None if these take them as they are.

    Its outputs are inputs of a lane of the same names, one cycle after the weights.
    """
    operands, _, sizes = PARTS[spec.arithmetic]
    return operands and operands(spec.inputs_per_beat, *sizes)


def make_lane(spec: MacSpec, *, pipelined: bool) -> Any:
    """Return the logic of one output channel.

    Parameters
    ----------
    spec : MacSpec
        The array's.
    pipelined : bool
        Whether it has registers within.
    """
    _, lane, sizes = PARTS[spec.arithmetic]
    return lane(spec.inputs_per_beat, *sizes, pipelined=pipelined)


def make_accumulator(spec: MacSpec, term_bits: int) -> Any:
    """Return the accumulator of one output channel."""
    return Fp16Accumulator() if spec.floating else IntegerAccumulator(term_bits, spec.result.width)
