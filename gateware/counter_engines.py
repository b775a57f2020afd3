"""The paper's counter engine: whole ones, and parts of one of the paper's size."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from gateware.design import Design
from golden.exact.spec import NumberSpec
from golden.quantise.quantize import PLAIN_MAGNITUDE_BITS, SYMMETRIC_MAGNITUDE_BITS
from hw.linear.counter.count_tree import CountTree
from hw.linear.counter.counter_engine import CounterEngine
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.counter.index_counter import IndexCounter

SYMMETRIC = "_symmetric"
SIZES: dict[str, dict[str, Any]] = {
    "counter_small": dict(
        inputs_per_beat=16,
        output_lanes=4,
        inputs_max=256,
        outputs_max=256,
        outliers_max=8,
        scale_lanes=2,
        counters=2,
        compensation_macs=4,
    ),
    "counter_minilm": dict(
        inputs_per_beat=16,
        output_lanes=4,
        inputs_max=1536,
        outputs_max=1536,
        outliers_max=16,
        scale_lanes=4,
        counters=4,
    ),
}
PAPER: dict[str, Any] = dict(
    inputs_per_beat=16,
    output_lanes=16,
    inputs_max=4096,
    outputs_max=4096,
    outliers_max=32,
    scale_lanes=4,
    counters=32,
)


def counter_spec(size: dict[str, Any], *, symmetric: bool = False) -> CounterSpec:
    """Return the parameters of a size; symmetric codebooks fold the bins."""
    bits = SYMMETRIC_MAGNITUDE_BITS if symmetric else PLAIN_MAGNITUDE_BITS
    numbers = NumberSpec(symmetric=symmetric, magnitude_bits=bits)
    return CounterSpec(numbers=numbers, folded=symmetric, **size)


def _design(name: str, spec: CounterSpec, make: Callable[[CounterSpec], Any], about: str) -> Design:
    parameters = asdict(spec)
    return Design(
        name=name,
        make=partial(make, spec),
        about=about,
        parameters=parameters.pop("numbers") | parameters,
    )


def _engine(size: str, *, symmetric: bool) -> Design:
    spec = counter_spec(SIZES[size], symmetric=symmetric)
    return _design(
        size + SYMMETRIC * symmetric,
        spec,
        CounterEngine,
        f"counter engine, {spec.output_lanes} lines of {spec.pairs} pairs,"
        f" {'symmetric' if symmetric else 'plain'} codebooks,"
        f" K and N up to {spec.inputs_max} and {spec.outputs_max}",
    )


COUNTER_ENGINES = tuple(
    _engine(size, symmetric=symmetric) for size in SIZES for symmetric in (False, True)
)
COUNTER_DESIGNS = (
    *COUNTER_ENGINES,
    *(
        _design(name, counter_spec(PAPER), make, f"{about} of the paper's counter engine")
        for name, make, about in (
            ("index_counter", IndexCounter, "one of a line's 32 counters of 16 index pairs"),
            ("count_tree", CountTree, "a line's tree of 32 products"),
        )
    ),
)
COUNTER_SPECS = {
    size + SYMMETRIC * symmetric: counter_spec(SIZES[size], symmetric=symmetric)
    for size in SIZES
    for symmetric in (False, True)
}
