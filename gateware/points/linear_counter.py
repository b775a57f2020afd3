"""The counter engine and its components: whole ones, and parts of one of the paper's size."""

from functools import partial
from typing import Any

from gateware.point import Point, listed
from gateware.sizes import SUFFIX, sized
from golden.exact.spec import default_numbers
from hw.linear.counter.bin_merge import BinMerge
from hw.linear.counter.bit_counter import BitCounter
from hw.linear.counter.compensation_array import CompensationArray
from hw.linear.counter.compensation_mac import CompensationMac
from hw.linear.counter.compensation_product import CompensationProduct
from hw.linear.counter.compensation_sequencer import CompensationSequencer
from hw.linear.counter.concat_unit import ConcatUnit
from hw.linear.counter.count_tree import CountTree
from hw.linear.counter.counter_array import CounterArray
from hw.linear.counter.counter_engine import CounterEngine
from hw.linear.counter.counter_line import CounterLine
from hw.linear.counter.counter_quantizer import CounterQuantizer
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.counter.entry_slices import EntrySlices
from hw.linear.counter.histogram_merge import HistogramMerge
from hw.linear.counter.index_counter import IndexCounter
from hw.linear.counter.residual_store import ResidualStore
from hw.linear.counter.row_requester import RowRequester
from hw.linear.counter.sum_join import SumJoin
from hw.linear.counter.tile_requester import TileRequester
from hw.linear.counter.tile_sequencer import TileSequencer

SIZES = {
    "counter_small": sized(16, 4, 256, 256, 8, 2, counters=2, compensation_macs=4),
    "counter_minilm": sized(16, 4, 1536, 1536, 16, 4, counters=4),
}
PAPER = sized(16, 16, 4096, 4096, 32, 4, counters=32)
BENCH = sized(2, 2, 16, 16, 4, 1, counters=2, counter_inputs=2, tree_lanes=32, compensation_macs=2)
SEQUENCER = "linear.bench_sequencer"
REQUESTER = "linear.counter.bench_counter_requester"
BUILDER = "token.bench_residual_builder"
QUANTIZER = "token.bench_token_quantizer"


def counter_spec(
    size: dict[str, Any], *, symmetric: bool = False, folded: bool | None = None
) -> CounterSpec:
    """Return the parameters of a size; symmetric codebooks fold the bins if no one says not to."""
    numbers = default_numbers(symmetric=symmetric)
    return CounterSpec(numbers=numbers, folded=symmetric if folded is None else folded, **size)


def _engine(size: str, *, symmetric: bool) -> Point:
    spec = counter_spec(SIZES[size], symmetric=symmetric)
    return listed(
        size + SUFFIX * symmetric,
        partial(CounterEngine, spec),
        f"counter engine, {spec.output_lanes} lines of {spec.pairs} pairs,"
        f" {'symmetric' if symmetric else 'plain'} codebooks,"
        f" K and N up to {spec.inputs_max} and {spec.outputs_max}",
    )


PLAIN = counter_spec(BENCH)
SYMMETRIC = counter_spec(BENCH, symmetric=True, folded=False)
FOLDED = counter_spec(BENCH | dict(counters=1, counter_inputs=4), symmetric=True)
WIDE = counter_spec(BENCH | dict(counters=4, counter_inputs=4), symmetric=True)
MANY = counter_spec(BENCH | dict(counters=16, counter_inputs=16, inputs_max=1024))

COUNTER_ENGINES = tuple(
    _engine(size, symmetric=symmetric) for size in SIZES for symmetric in (False, True)
)
POINTS = (
    *COUNTER_ENGINES,
    listed(
        "index_counter",
        partial(IndexCounter, counter_spec(PAPER)),
        "one of a line's 32 counters of 16 index pairs of the paper's counter engine",
    ),
    listed(
        "count_tree",
        partial(CountTree, counter_spec(PAPER)),
        "a line's tree of 32 products of the paper's counter engine",
    ),
    Point("concat_unit_plain", partial(ConcatUnit, PLAIN)),
    Point("concat_unit_folded", partial(ConcatUnit, FOLDED)),
    Point("bit_counter_3", partial(BitCounter, 3)),
    Point("bit_counter_15", partial(BitCounter, 15)),
    Point("index_counter_plain", partial(IndexCounter, PLAIN)),
    Point("index_counter_folded", partial(IndexCounter, WIDE)),
    Point("bin_merge", partial(BinMerge, PLAIN)),
    Point("bin_merge_16", partial(BinMerge, MANY)),
    Point("histogram_merge", partial(HistogramMerge, FOLDED)),
    Point("count_tree_plain", partial(CountTree, PLAIN)),
    Point("count_tree_folded", partial(CountTree, FOLDED)),
    Point("entry_slices_plain", partial(EntrySlices, PLAIN)),
    Point("entry_slices_symmetric", partial(EntrySlices, SYMMETRIC)),
    Point("entry_slices_folded", partial(EntrySlices, FOLDED)),
    Point("counter_line_plain", partial(CounterLine, PLAIN)),
    Point("counter_line_folded", partial(CounterLine, WIDE)),
    Point("tile_sequencer", partial(TileSequencer, PLAIN), bench=SEQUENCER),
    Point("tile_requester", partial(TileRequester, PLAIN), bench=REQUESTER),
    Point("counter_array", partial(CounterArray, FOLDED)),
    Point("residual_store_plain", partial(ResidualStore, PLAIN), bench=BUILDER),
    Point("residual_store_symmetric", partial(ResidualStore, SYMMETRIC), bench=BUILDER),
    Point("counter_quantizer", partial(CounterQuantizer, PLAIN), bench=QUANTIZER),
    Point("compensation_sequencer", partial(CompensationSequencer, PLAIN), bench=SEQUENCER),
    Point("row_requester", partial(RowRequester, PLAIN), bench=REQUESTER),
    Point("compensation_product_plain", partial(CompensationProduct, PLAIN)),
    Point("compensation_product_symmetric", partial(CompensationProduct, SYMMETRIC)),
    Point("compensation_mac_plain", partial(CompensationMac, PLAIN)),
    Point("compensation_mac_symmetric", partial(CompensationMac, SYMMETRIC)),
    Point("compensation_array", partial(CompensationArray, PLAIN)),
    Point("sum_join", partial(SumJoin, PLAIN)),
    Point("counter_engine_plain", partial(CounterEngine, PLAIN), bench="linear.bench_engine"),
    Point(
        "counter_engine_symmetric", partial(CounterEngine, SYMMETRIC), bench="linear.bench_engine"
    ),
    Point("counter_engine_folded", partial(CounterEngine, FOLDED), bench="linear.bench_engine"),
)
