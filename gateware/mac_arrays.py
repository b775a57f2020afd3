"""The baselines: lanes and arrays that multiply and accumulate."""

from functools import partial

from gateware.design import Design
from hw.mac.integer_lane import IntegerLane

LANE_INPUTS = 16


def _integer_lane(bits: int) -> Design:
    return Design(
        name=f"int{bits}_lane",
        make=partial(IntegerLane, LANE_INPUTS, bits, bits),
        about=f"baseline: sum of {LANE_INPUTS} products INT{bits} x INT{bits}, combinational",
        parameters={"inputs": LANE_INPUTS, "activation_bits": bits, "weight_bits": bits},
    )


MAC_DESIGNS = (_integer_lane(4), _integer_lane(8))
