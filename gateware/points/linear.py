"""The linear engine and what loads it."""

from functools import partial

from gateware.point import Point, listed
from gateware.sizes import PLAIN, SYMMETRIC
from golden.exact.spec import default_numbers
from hw.linear.engine_spec import EngineSpec
from hw.linear.layer_constants import LayerConstants
from hw.linear.linear_engine import LinearEngine

# Lanes, the largest layer and the longest lists of outliers; each for plain codebooks and, with
# this suffix, for symmetric ones.
SUFFIX = "_symmetric"
SIZES = {
    "tiny": dict(
        inputs_per_beat=4,
        output_lanes=4,
        inputs_max=64,
        outputs_max=64,
        outliers_max=4,
        scale_lanes=2,
    ),
    "small": dict(
        inputs_per_beat=16,
        output_lanes=16,
        inputs_max=256,
        outputs_max=256,
        outliers_max=8,
        scale_lanes=4,
    ),
    "minilm": dict(
        inputs_per_beat=16,
        output_lanes=64,
        inputs_max=1536,
        outputs_max=1536,
        outliers_max=16,
        scale_lanes=4,
    ),
}


def engine_spec(size: str, *, symmetric: bool) -> EngineSpec:
    """Return the parameters of a linear engine of :data:`SIZES`."""
    return EngineSpec(numbers=default_numbers(symmetric=symmetric), **SIZES[size])


def _engine(size: str, *, symmetric: bool) -> Point:
    spec = engine_spec(size, symmetric=symmetric)
    return listed(
        size + SUFFIX * symmetric,
        partial(LinearEngine, spec),
        f"{spec.inputs_per_beat} x {spec.output_lanes} linear engine,"
        f" {'symmetric' if symmetric else 'plain'} codebooks,"
        f" K and N up to {spec.inputs_max} and {spec.outputs_max}",
    )


ENGINES = tuple(_engine(size, symmetric=symmetric) for size in SIZES for symmetric in (False, True))
POINTS = (
    *ENGINES,
    Point("layer_constants_symmetric", partial(LayerConstants, SYMMETRIC)),
    Point("layer_constants_plain", partial(LayerConstants, PLAIN)),
    Point("linear_engine_symmetric", partial(LinearEngine, SYMMETRIC)),
    Point("linear_engine_plain", partial(LinearEngine, PLAIN)),
)
