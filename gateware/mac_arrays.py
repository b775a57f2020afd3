"""The baselines: lanes and arrays that multiply and accumulate."""

from dataclasses import asdict, replace
from functools import partial

from gateware.design import Design
from golden.exact.mac import GROUP
from hw.baseline.dequant_array import DequantArray
from hw.baseline.lanes import make_lane
from hw.baseline.mac_array import MacArray
from hw.baseline.mac_spec import MacSpec
from hw.baseline.scaled_array import ScaledArray

ABOUT = {
    "int4": "INT4 x INT4",
    "int8": "INT8 x INT8",
    "dequant": "codes to centroids of 8 bits, INT8 x INT8",
    "figlut": "after FIGLUT, tables of four aligned activations, INT4 weights by bits",
    "fp16": "FP16 products and sums",
}


def mac_spec(arithmetic: str) -> MacSpec:
    """Return the size at which the baselines are compared: 16 input and 16 output lanes."""
    return MacSpec(arithmetic=arithmetic, inputs_per_beat=16, output_lanes=16, inputs_max=4096)


def make_array(spec: MacSpec) -> MacArray:
    """Return the array of a size."""
    return (DequantArray if spec.arithmetic == "dequant" else MacArray)(spec)


def _lane(arithmetic: str) -> Design:
    spec = mac_spec(arithmetic)
    return Design(
        name=f"{arithmetic}_lane",
        make=partial(make_lane, spec, pipelined=False),
        about=f"baseline: {spec.inputs_per_beat} products and their sum, combinational:"
        f" {ABOUT[arithmetic]}",
        parameters=asdict(spec),
    )


def _array(arithmetic: str) -> Design:
    spec = mac_spec(arithmetic)
    return Design(
        name=f"{arithmetic}_array",
        make=partial(make_array, spec),
        about=f"baseline: {spec.inputs_per_beat} x {spec.output_lanes} array that multiplies and"
        f" accumulates: {ABOUT[arithmetic]}",
        parameters=asdict(spec),
    )


def _scaled_array() -> Design:
    spec = replace(mac_spec("int4"), inputs_max=GROUP)
    return Design(
        name="int4_scaled_array",
        make=partial(ScaledArray, spec),
        about=f"baseline: the INT4 array with FP16 scales for groups of {GROUP} input channels",
        parameters=asdict(spec),
    )


MAC_DESIGNS = (*map(_lane, ABOUT), *map(_array, ABOUT), _scaled_array())
