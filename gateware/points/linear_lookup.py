"""The lookup engine and its components."""

from functools import partial

from gateware.point import Point, listed
from gateware.sizes import (
    FACTOR,
    FIVE,
    MADE,
    PLAIN,
    SIZES,
    SUFFIX,
    SYMMETRIC,
    TOGETHER,
    WIDE,
    engine_name,
    engine_spec,
)
from hw.linear.lookup.beat_sequencer import BeatSequencer
from hw.linear.lookup.lookup_array import LookupArray
from hw.linear.lookup.lookup_engine import LookupEngine
from hw.linear.lookup.lookup_lane import LookupLane
from hw.linear.lookup.lookup_tree import LookupTree
from hw.linear.lookup.row_maker import RowMaker
from hw.linear.lookup.row_select import RowSelect
from hw.linear.lookup.weight_requester import WeightRequester

SMALL = engine_spec("small", symmetric=True)
ROW_SELECT = "linear.lookup.bench_row_select"
OF_SMALL = "of a 16 x 16 linear engine, symmetric codebooks"


def _engine(size: str, *, symmetric: bool, activation_bits: int = 4) -> Point:
    spec = engine_spec(size, symmetric=symmetric, activation_bits=activation_bits)
    return listed(
        engine_name(size, symmetric=symmetric, activation_bits=activation_bits),
        partial(LookupEngine, spec),
        f"{spec.inputs_per_beat} x {spec.output_lanes} linear engine,"
        f" {'symmetric' if symmetric else 'plain'} codebooks, {ROWS[activation_bits]}"
        f"K and N up to {spec.inputs_max} and {spec.outputs_max}",
    )


ROWS = {
    4: "",
    5: "activations of 5 bits, ",
    8: "rows made of activations of 8 bits, ",
}
ENGINES = (
    *(_engine(size, symmetric=symmetric) for size in SIZES for symmetric in (False, True)),
    *(
        _engine(size, symmetric=symmetric, activation_bits=bits)
        for bits in (5, 8)
        for size, symmetric in (("tiny", False), ("tiny", True), ("minilm", True))
    ),
)
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
    Point("row_select_a5_symmetric", partial(RowSelect, FIVE[True])),
    Point("row_select_a5_plain", partial(RowSelect, FIVE[False])),
    listed(
        "row_maker",
        partial(RowMaker, engine_spec("small", symmetric=True, activation_bits=8)),
        f"the rows of one input lane, made of activations of 8 bits, {OF_SMALL}",
    ),
    Point("row_maker_symmetric", partial(RowMaker, MADE[True]), bench=ROW_SELECT),
    Point("row_maker_plain", partial(RowMaker, MADE[False]), bench=ROW_SELECT),
    Point("lookup_tree_symmetric", partial(LookupTree, SYMMETRIC)),
    Point("lookup_tree_symmetric_k16", partial(LookupTree, WIDE)),
    Point("lookup_tree_group", partial(LookupTree, WIDE, 8)),
    Point("lookup_tree_plain", partial(LookupTree, PLAIN)),
    Point("lookup_lane_symmetric", partial(LookupLane, SYMMETRIC)),
    Point("lookup_lane_k16", partial(LookupLane, WIDE)),
    Point("lookup_lane_plain", partial(LookupLane, PLAIN)),
    Point("lookup_array_symmetric", partial(LookupArray, SYMMETRIC)),
    Point("lookup_array_plain", partial(LookupArray, PLAIN)),
    Point("lookup_array_a5", partial(LookupArray, FIVE[True])),
    Point("lookup_array_a8_symmetric", partial(LookupArray, MADE[True])),
    Point("lookup_array_a8_plain", partial(LookupArray, MADE[False])),
    Point("beat_sequencer", partial(BeatSequencer, SYMMETRIC), bench="linear.bench_sequencer"),
    Point("lookup_engine_symmetric", partial(LookupEngine, SYMMETRIC), bench="linear.bench_engine"),
    Point("lookup_engine_plain", partial(LookupEngine, PLAIN), bench="linear.bench_engine"),
    *(
        Point(
            f"lookup_engine_a{bits}{SUFFIX * symmetric}",
            partial(LookupEngine, spec),
            bench="linear.bench_engine",
        )
        for bits, specs in ((5, FIVE), (8, MADE))
        for symmetric, spec in specs.items()
    ),
    Point("lookup_engine_factor", partial(LookupEngine, FACTOR), bench="linear.bench_engine"),
    Point("lookup_engine_together", partial(LookupEngine, TOGETHER), bench="linear.bench_engine"),
    Point("weight_requester", partial(WeightRequester, SYMMETRIC)),
)
