"""Components of the lookup array, as the benches try them."""

from hw.linear.lookup.beat_sequencer import BeatSequencer
from hw.linear.lookup.lookup_array import LookupArray
from hw.linear.lookup.lookup_lane import LookupLane
from hw.linear.lookup.lookup_tree import LookupTree
from hw.linear.lookup.row_select import RowSelect
from hw.linear.lookup.weight_requester import WeightRequester
from sim.blocks.block import PLAIN, SYMMETRIC, WIDE, Block

LOOKUP_BLOCKS = {
    "row_select_symmetric": Block("bench_row_select", lambda: RowSelect(SYMMETRIC)),
    "row_select_plain": Block("bench_row_select", lambda: RowSelect(PLAIN)),
    "lookup_tree_symmetric": Block("bench_lookup_tree", lambda: LookupTree(SYMMETRIC)),
    "lookup_tree_symmetric_k16": Block("bench_lookup_tree", lambda: LookupTree(WIDE)),
    "lookup_tree_group": Block("bench_lookup_tree", lambda: LookupTree(WIDE, 8)),
    "lookup_tree_plain": Block("bench_lookup_tree", lambda: LookupTree(PLAIN)),
    "lookup_lane_symmetric": Block("bench_lookup_lane", lambda: LookupLane(SYMMETRIC)),
    "lookup_lane_k16": Block("bench_lookup_lane", lambda: LookupLane(WIDE)),
    "lookup_lane_plain": Block("bench_lookup_lane", lambda: LookupLane(PLAIN)),
    "lookup_array_symmetric": Block("bench_lookup_array", lambda: LookupArray(SYMMETRIC)),
    "lookup_array_plain": Block("bench_lookup_array", lambda: LookupArray(PLAIN)),
    "beat_sequencer": Block("bench_beat_sequencer", lambda: BeatSequencer(SYMMETRIC)),
    "weight_requester": Block("bench_weight_requester", lambda: WeightRequester(SYMMETRIC)),
}
