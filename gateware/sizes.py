"""Sizes that several rooms share: those of whole engines, and those of benches and proofs."""

from golden.exact.spec import default_numbers
from hw.linear.engine_spec import EngineSpec
from hw.topk.orizuru.orizuru_spec import OrizuruSpec

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


def small_spec(
    *,
    symmetric: bool,
    inputs_per_beat: int = 4,
    inputs_max: int = 32,
    outliers_max: int = 4,
    scale_lanes: int = 2,
) -> EngineSpec:
    """Return a linear engine small enough for Icarus."""
    return EngineSpec(
        numbers=default_numbers(symmetric=symmetric),
        inputs_per_beat=inputs_per_beat,
        output_lanes=4,
        inputs_max=inputs_max,
        outputs_max=16,
        outliers_max=outliers_max,
        scale_lanes=scale_lanes,
    )


def outlier_spec(inputs_max: int, outliers_max: int, values_per_beat: int) -> OrizuruSpec:
    """Return the size of an outlier engine."""
    return OrizuruSpec(
        inputs_max=inputs_max, outliers_max=outliers_max, values_per_beat=values_per_beat
    )


SYMMETRIC = small_spec(symmetric=True)
PLAIN = small_spec(symmetric=False)
WIDE = small_spec(symmetric=True, inputs_per_beat=16, inputs_max=192, outliers_max=8)
ONE_BY_ONE = small_spec(symmetric=True, scale_lanes=1)
AT_ONCE = small_spec(symmetric=True, scale_lanes=4)
