"""Which parts make an array of each arithmetic."""

from typing import Any

from hw.mac.integer_accumulator import IntegerAccumulator
from hw.mac.integer_lane import IntegerLane
from hw.mac.integer_operands import IntegerOperands
from hw.mac.mac_spec import MacSpec
from hw.mac.product_sum import sum_bits

BITS = {"int4": 4, "int8": 8}


def make_operands(spec: MacSpec) -> Any:
    """Return what prepares the activations for all lanes.

    Its outputs are inputs of a lane of the same names, those in ``AT_ONCE`` together with the
    weights and the others a cycle later.
    """
    bits = BITS[spec.arithmetic]
    return IntegerOperands(spec.inputs_per_beat, bits, bits)


def make_lane(spec: MacSpec, *, pipelined: bool) -> Any:
    """Return the logic of one output channel."""
    bits = BITS[spec.arithmetic]
    return IntegerLane(spec.inputs_per_beat, bits, bits, pipelined=pipelined)


def make_accumulator(spec: MacSpec) -> Any:
    """Return the accumulator of one output channel."""
    bits = BITS[spec.arithmetic]
    return IntegerAccumulator(sum_bits(spec.inputs_per_beat, bits - 1, bits), spec.result.width)
