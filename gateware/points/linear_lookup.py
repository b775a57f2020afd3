"""The lookup engine and its components."""

from functools import partial

from gateware.point import Point, listed
from gateware.sizes import PLAIN, SIZES, SUFFIX, SYMMETRIC, WIDE, engine_spec
from hw.linear.lookup.beat_sequencer import BeatSequencer
from hw.linear.lookup.lookup_array import LookupArray
from hw.linear.lookup.lookup_engine import LookupEngine
from hw.linear.lookup.lookup_lane import LookupLane
from hw.linear.lookup.lookup_tree import LookupTree
from hw.linear.lookup.row_select import RowSelect
from hw.linear.lookup.weight_requester import WeightRequester

SMALL = engine_spec("small", symmetric=True)
OF_SMALL = "of a 16 x 16 linear engine, symmetric codebooks"


def _engine(size: str, *, symmetric: bool) -> Point:
    spec = engine_spec(size, symmetric=symmetric)
    return listed(
        size + SUFFIX * symmetric,
        partial(LookupEngine, spec),
        f"{spec.inputs_per_beat} x {spec.output_lanes} linear engine,"
        f" {'symmetric' if symmetric else 'plain'} codebooks,"
        f" K and N up to {spec.inputs_max} and {spec.outputs_max}",
    )


ENGINES = tuple(_engine(size, symmetric=symmetric) for size in SIZES for symmetric in (False, True))
POINTS = (
    *ENGINES,
    listed(
        "lookup_tree",
        partial(LookupTree, SMALL),
        f"an output channel's 16 lookups and their sum {OF_SMALL}",
    ),
    listed("lookup_array", partial(LookupArray, SMALL), f"the lookup array {OF_SMALL}"),
    Point("row_select_symmetric", partial(RowSelect, SYMMETRIC)),
    Point("row_select_plain", partial(RowSelect, PLAIN)),
    Point("lookup_tree_symmetric", partial(LookupTree, SYMMETRIC)),
    Point("lookup_tree_symmetric_k16", partial(LookupTree, WIDE)),
    Point("lookup_tree_group", partial(LookupTree, WIDE, 8)),
    Point("lookup_tree_plain", partial(LookupTree, PLAIN)),
    Point("lookup_lane_symmetric", partial(LookupLane, SYMMETRIC)),
    Point("lookup_lane_k16", partial(LookupLane, WIDE)),
    Point("lookup_lane_plain", partial(LookupLane, PLAIN)),
    Point("lookup_array_symmetric", partial(LookupArray, SYMMETRIC)),
    Point("lookup_array_plain", partial(LookupArray, PLAIN)),
    Point("beat_sequencer", partial(BeatSequencer, SYMMETRIC), bench="linear.bench_sequencer"),
    Point("lookup_engine_symmetric", partial(LookupEngine, SYMMETRIC), bench="linear.bench_engine"),
    Point("lookup_engine_plain", partial(LookupEngine, PLAIN), bench="linear.bench_engine"),
    Point("weight_requester", partial(WeightRequester, SYMMETRIC)),
)
