"""Sizes that several rooms share: those of whole engines, and those of benches and proofs."""

from typing import Any

from golden.exact.spec import default_numbers
from hw.engine_spec import EngineSpec
from hw.topk.orizuru.orizuru_spec import OrizuruSpec

# Lanes, the largest layer and the longest lists of outliers; each for plain codebooks and, with
# this suffix, for symmetric ones.
SUFFIX = "_symmetric"
FIELDS = (
    *("inputs_per_beat", "output_lanes", "inputs_max", "outputs_max"),
    *("outliers_max", "scale_lanes"),
)


def sized(*values: int, **others: int) -> dict[str, Any]:
    """Return the sizes of an engine by name: values of :data:`FIELDS`, then its own."""
    return dict(zip(FIELDS, values, strict=True)) | others


SIZES = {
    "tiny": sized(4, 4, 64, 64, 4, 2),
    "small": sized(16, 16, 256, 256, 8, 4),
    "minilm": sized(16, 64, 1536, 1536, 16, 4),
}


def engine_name(size: str, *, symmetric: bool, activation_bits: int = 4) -> str:
    """Return the name of a linear engine: its size, then what is not as usual."""
    form = "" if activation_bits <= 4 else f"_a{activation_bits}"
    return size + form + SUFFIX * symmetric


def engine_spec(size: str, *, symmetric: bool, activation_bits: int = 4) -> EngineSpec:
    """Return the parameters of a linear engine of :data:`SIZES`."""
    numbers = default_numbers(symmetric=symmetric, activation_bits=activation_bits)
    return EngineSpec(numbers=numbers, **SIZES[size])


def small_spec(
    *,
    symmetric: bool,
    inputs_per_beat: int = 4,
    inputs_max: int = 32,
    outliers_max: int = 4,
    scale_lanes: int = 2,
    activation_bits: int = 4,
    token_factor: bool = False,
    loads_ahead: bool = False,
    snaps: bool = False,
    tokens_together: int = 1,
) -> EngineSpec:
    """Return a linear engine small enough for Icarus."""
    size = sized(inputs_per_beat, 4, inputs_max, 16, outliers_max, scale_lanes)
    numbers = default_numbers(symmetric=symmetric, activation_bits=activation_bits)
    options: dict[str, Any] = {"token_factor": token_factor, "loads_ahead": loads_ahead}
    options |= {"snaps": snaps, "tokens_together": tokens_together}
    return EngineSpec(numbers=numbers, **options, **size)


def outlier_spec(inputs_max: int, outliers_max: int, values_per_beat: int) -> OrizuruSpec:
    """Return the size of an outlier engine."""
    return OrizuruSpec(
        inputs_max=inputs_max, outliers_max=outliers_max, values_per_beat=values_per_beat
    )


SYMMETRIC = small_spec(symmetric=True)
PLAIN = small_spec(symmetric=False)
FIVE = {s: small_spec(symmetric=s, activation_bits=5) for s in (False, True)}
MADE = {s: small_spec(symmetric=s, activation_bits=8) for s in (False, True)}
# Two input lanes in each of four groups.
SNAPS = small_spec(symmetric=True, inputs_per_beat=8, activation_bits=8, snaps=True)
FACTOR = small_spec(symmetric=True, activation_bits=8, token_factor=True)
TOGETHER = small_spec(symmetric=True, activation_bits=8, token_factor=True, tokens_together=4)
AHEAD = small_spec(symmetric=True, loads_ahead=True)
WIDE = small_spec(symmetric=True, inputs_per_beat=16, inputs_max=192, outliers_max=8)
ONE_BY_ONE = small_spec(symmetric=True, scale_lanes=1)
AT_ONCE = small_spec(symmetric=True, scale_lanes=4)
