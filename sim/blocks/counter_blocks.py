"""The counter engine and its components, as the benches try them."""

from golden.exact.spec import NumberSpec
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
from sim.blocks.block import Block


def counter_spec(
    *,
    symmetric: bool,
    folded: bool = False,
    counters: int = 2,
    counter_inputs: int = 2,
    inputs_max: int = 16,
) -> CounterSpec:
    """Return a counter engine of a size for benches."""
    return CounterSpec(
        numbers=NumberSpec(symmetric=symmetric, magnitude_bits=8 if symmetric else 9),
        inputs_per_beat=2,
        output_lanes=2,
        inputs_max=inputs_max,
        outputs_max=16,
        outliers_max=4,
        scale_lanes=1,
        counters=counters,
        counter_inputs=counter_inputs,
        tree_lanes=32,
        compensation_macs=2,
        folded=folded,
    )


PLAIN = counter_spec(symmetric=False)
SYMMETRIC = counter_spec(symmetric=True)
FOLDED = counter_spec(symmetric=True, folded=True, counters=1, counter_inputs=4)
WIDE = counter_spec(symmetric=True, folded=True, counters=4, counter_inputs=4)
MANY = counter_spec(symmetric=False, counters=16, counter_inputs=16, inputs_max=1024)

COUNTER_BLOCKS = {
    "concat_unit_plain": Block("bench_concat_unit", lambda: ConcatUnit(PLAIN)),
    "concat_unit_folded": Block("bench_concat_unit", lambda: ConcatUnit(FOLDED)),
    "bit_counter_3": Block("bench_bit_counter", lambda: BitCounter(3)),
    "bit_counter_15": Block("bench_bit_counter", lambda: BitCounter(15)),
    "index_counter_plain": Block("bench_index_counter", lambda: IndexCounter(PLAIN)),
    "index_counter_folded": Block("bench_index_counter", lambda: IndexCounter(WIDE)),
    "bin_merge": Block("bench_bin_merge", lambda: BinMerge(PLAIN)),
    "bin_merge_16": Block("bench_bin_merge", lambda: BinMerge(MANY)),
    "histogram_merge": Block("bench_histogram_merge", lambda: HistogramMerge(FOLDED)),
    "count_tree_plain": Block("bench_count_tree", lambda: CountTree(PLAIN)),
    "count_tree_folded": Block("bench_count_tree", lambda: CountTree(FOLDED)),
    "entry_slices_plain": Block("bench_entry_slices", lambda: EntrySlices(PLAIN)),
    "entry_slices_symmetric": Block("bench_entry_slices", lambda: EntrySlices(SYMMETRIC)),
    "entry_slices_folded": Block("bench_entry_slices", lambda: EntrySlices(FOLDED)),
    "counter_line_plain": Block("bench_counter_line", lambda: CounterLine(PLAIN)),
    "counter_line_folded": Block("bench_counter_line", lambda: CounterLine(WIDE)),
    "tile_sequencer": Block("bench_counter_sequencer", lambda: TileSequencer(PLAIN)),
    "tile_requester": Block("bench_counter_requester", lambda: TileRequester(PLAIN)),
    "counter_array": Block("bench_counter_array", lambda: CounterArray(FOLDED)),
    "residual_store_plain": Block("bench_residual_builder", lambda: ResidualStore(PLAIN)),
    "residual_store_symmetric": Block("bench_residual_builder", lambda: ResidualStore(SYMMETRIC)),
    "counter_quantizer": Block("bench_token_quantizer", lambda: CounterQuantizer(PLAIN)),
    "compensation_sequencer": Block(
        "bench_counter_sequencer", lambda: CompensationSequencer(PLAIN)
    ),
    "row_requester": Block("bench_counter_requester", lambda: RowRequester(PLAIN)),
    "compensation_product_plain": Block(
        "bench_compensation_product", lambda: CompensationProduct(PLAIN)
    ),
    "compensation_product_symmetric": Block(
        "bench_compensation_product", lambda: CompensationProduct(SYMMETRIC)
    ),
    "compensation_mac_plain": Block("bench_compensation_mac", lambda: CompensationMac(PLAIN)),
    "compensation_mac_symmetric": Block(
        "bench_compensation_mac", lambda: CompensationMac(SYMMETRIC)
    ),
    "compensation_array": Block("bench_compensation_array", lambda: CompensationArray(PLAIN)),
    "sum_join": Block("bench_sum_join", lambda: SumJoin(PLAIN)),
    "counter_engine_plain": Block("bench_counter_engine", lambda: CounterEngine(PLAIN)),
    "counter_engine_symmetric": Block("bench_counter_engine", lambda: CounterEngine(SYMMETRIC)),
    "counter_engine_folded": Block("bench_counter_engine", lambda: CounterEngine(FOLDED)),
}
