"""What ``kllm density`` compares: for each kind of arithmetic its logic, and an array of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from gateware.design import Design
from gateware.points import linear_counter as counter
from gateware.points import point
from gateware.variant import address
from hw.linear.counter.counter_line import CounterLine
from hw.linear.counter.counter_spec import CounterSpec

FMA = "fp16_fma_pipelined"
FMA_COMBINATIONAL = "fp16_fma"


@dataclass(frozen=True, kw_only=True, eq=False)
class DensityPoint:
    """One kind of arithmetic.

    Parameters
    ----------
    block : str
        Its name.
    lane : Design
        The logic of one output channel: whatever registers it has are not counted.
    lane_pairs : int
        Multiply-accumulates that it does per cycle.
    array : Design
        The whole, with registers, accumulators, and what its lanes share.
    array_pairs : int
        Multiply-accumulates of that per cycle.
    scaled : Design, optional
        The array with scales for groups of input channels, where these are not in it.
    """

    block: str
    lane: Design
    lane_pairs: int
    array: Design
    array_pairs: int
    scaled: Design | None = None


def counter_spec() -> CounterSpec:
    """Return the paper's counter engine: 16 lines of 512 pairs a cycle, 205 outliers a side."""
    return counter.counter_spec(counter.PAPER | dict(outliers_max=205))


def _lookup(changes: Mapping[str, str]) -> DensityPoint:
    tree, array = (point(address(name, changes)) for name in ("lookup_tree", "lookup_array"))
    inputs, lanes = array.spec.inputs_per_beat, array.spec.output_lanes
    return DensityPoint(
        block="lookup", lane=tree, lane_pairs=inputs, array=array, array_pairs=inputs * lanes
    )


def _counter() -> DensityPoint:
    spec = counter_spec()
    line = Design(
        name="counter_line",
        make=partial(CounterLine, spec),
        about="the paper's line: counters, their merge, and the tree",
    )
    return DensityPoint(
        block="counter", lane=line, lane_pairs=spec.pairs, array=line, array_pairs=spec.pairs
    )


def _baseline(arithmetic: str) -> DensityPoint:
    lane, array = point(f"{arithmetic}_lane"), point(f"{arithmetic}_array")
    inputs, lanes = array.spec.inputs_per_beat, array.spec.output_lanes
    return DensityPoint(
        block=arithmetic,
        lane=lane,
        lane_pairs=inputs,
        array=array,
        array_pairs=inputs * lanes,
        scaled=point("int4_scaled_array") if arithmetic == "int4" else None,
    )


def density_points(changes: Mapping[str, str] = MappingProxyType({})) -> list[DensityPoint]:
    """Return everything that is compared, ours and the paper's first.

    Parameters
    ----------
    changes : mapping of str to str
        Parameters of the lookup array that differ from the usual ones.
    """
    baselines = ("int4", "int8", "dequant", "figlut", "fp16")
    return [_lookup(changes), _counter(), *map(_baseline, baselines)]
