"""A component with its parameters chosen, and sizes small enough for Icarus."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.lib import wiring

from golden.exact.spec import NumberSpec
from hw.linear.engine_spec import EngineSpec
from hw.topk.orizuru.orizuru_spec import OrizuruSpec


@dataclass(frozen=True)
class Block:
    """A component with every parameter chosen, and the bench that tries it.

    Parameters
    ----------
    bench : str
        Module in ``sim`` that holds the cocotb tests.
    make : callable
        Returns a fresh component.
    """

    bench: str
    make: Callable[[], wiring.Component]


def small_spec(
    *,
    symmetric: bool,
    inputs_per_beat: int = 4,
    inputs_max: int = 32,
    outliers_max: int = 4,
    scale_lanes: int = 2,
) -> EngineSpec:
    """Return an engine of a size for benches."""
    return EngineSpec(
        numbers=NumberSpec(symmetric=symmetric, magnitude_bits=8 if symmetric else 9),
        inputs_per_beat=inputs_per_beat,
        output_lanes=4,
        inputs_max=inputs_max,
        outputs_max=16,
        outliers_max=outliers_max,
        scale_lanes=scale_lanes,
    )


def orizuru(inputs_max: int, outliers_max: int, values_per_beat: int) -> OrizuruSpec:
    """Return the size of an outlier engine for benches."""
    return OrizuruSpec(
        inputs_max=inputs_max, outliers_max=outliers_max, values_per_beat=values_per_beat
    )


SYMMETRIC = small_spec(symmetric=True)
PLAIN = small_spec(symmetric=False)
WIDE = small_spec(symmetric=True, inputs_per_beat=16, inputs_max=192, outliers_max=8)
ONE_BY_ONE = small_spec(symmetric=True, scale_lanes=1)
AT_ONCE = small_spec(symmetric=True, scale_lanes=4)
