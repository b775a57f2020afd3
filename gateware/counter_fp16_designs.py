"""The paper's counter engine in FP16: a whole one, and the parts of which the paper gives areas."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from gateware.design import Design
from golden.exact.spec import NumberSpec
from golden.quantise.quantize import PLAIN_MAGNITUDE_BITS
from hw.linear.counter_fp16.dequant_unit import DequantUnit
from hw.linear.counter_fp16.error_unit import ErrorUnit
from hw.linear.counter_fp16.fp16_compensation_mac import Fp16CompensationMac
from hw.linear.counter_fp16.fp16_count_tree import Fp16CountTree
from hw.linear.counter_fp16.fp16_counter_engine import Fp16CounterEngine
from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec

NUMBERS = NumberSpec(symmetric=False, magnitude_bits=PLAIN_MAGNITUDE_BITS)
SMALL = Fp16CounterSpec(
    numbers=NUMBERS,
    inputs_per_beat=16,
    output_lanes=4,
    inputs_max=256,
    outputs_max=256,
    outliers_max=8,
    scale_lanes=2,
    counters=2,
    compensation_macs=4,
)
PAPER = Fp16CounterSpec(
    numbers=NUMBERS,
    inputs_per_beat=16,
    output_lanes=16,
    inputs_max=4096,
    outputs_max=4096,
    outliers_max=32,
    scale_lanes=4,
    counters=32,
)


def _part(name: str, about: str, make: Callable[..., Any], **parameters: int) -> Design:
    return Design(
        name=name,
        make=partial(make, **parameters),
        about=f"{about} of the paper's counter engine, FP16",
        parameters={"numbers": "fp16", **parameters},
    )


COUNTER_FP16_DESIGNS = (
    Design(
        name="counter_fp16_small",
        make=partial(Fp16CounterEngine, SMALL),
        about=f"FP16 counter engine, {SMALL.output_lanes} lines of {SMALL.pairs} pairs,"
        f" plain codebooks, K and N up to {SMALL.inputs_max} and {SMALL.outputs_max}",
        parameters={"numbers": "fp16"}
        | {name: value for name, value in asdict(SMALL).items() if name != "numbers"},
    ),
    _part(
        "fp16_count_tree",
        "a line's tree of 32 products",
        Fp16CountTree,
        tree_lanes=PAPER.tree_lanes,
        count_bits=PAPER.count_bits,
    ),
    _part("dequant_unit", "Dequant Unit", DequantUnit),
    _part("error_unit", "error-calculation unit", ErrorUnit),
    _part("fp16_compensation_mac", "compensation MAC", Fp16CompensationMac, slots=PAPER.slots),
)
