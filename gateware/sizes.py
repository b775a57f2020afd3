"""Sizes that several rooms share: those at which benches and proofs try components."""

from golden.exact.spec import default_numbers
from hw.linear.engine_spec import EngineSpec
from hw.topk.orizuru.orizuru_spec import OrizuruSpec


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
