"""Components of Orizuru, as the benches try them."""

from hw.topk.orizuru.entry_merge import EntryMerge
from hw.topk.orizuru.heap_level import HeapLevel
from hw.topk.orizuru.heap_list import HeapList
from hw.topk.orizuru.orizuru_control import OrizuruControl
from hw.topk.orizuru.orizuru_leaf import OrizuruLeaf
from hw.topk.orizuru.orizuru_stream import OrizuruStream
from hw.topk.orizuru.orizuru_tree import OrizuruTree
from hw.topk.orizuru.orizuru_unit import OrizuruUnit
from hw.topk.orizuru.orizuru_upper import OrizuruUpper
from hw.topk.orizuru.outlier_side import OutlierSide
from hw.topk.orizuru.sorted_list import SortedList
from sim.blocks.block import Block, orizuru

ORIZURU_BLOCKS = {
    "sorted_list": Block("bench_sorted_list", lambda: SortedList(5, 6)),
    "sorted_list_1": Block("bench_sorted_list", lambda: SortedList(1, 6)),
    "sorted_list_smallest": Block("bench_sorted_list", lambda: SortedList(6, 5, largest=False)),
    "sorted_list_reverse": Block("bench_sorted_list", lambda: SortedList(5, 6, reverse=True)),
    "heap_level_1": Block("bench_heap_level", lambda: HeapLevel(1, 9, 4)),
    "heap_level_3": Block("bench_heap_level", lambda: HeapLevel(3, 29, 4, largest=False)),
    "heap_list": Block("bench_heap_list", lambda: HeapList(13, 7)),
    "heap_list_2": Block("bench_heap_list", lambda: HeapList(2, 6, largest=False)),
    "heap_list_deep": Block("bench_heap_list", lambda: HeapList(19, 8, largest=False)),
    "orizuru_stream_p4": Block("bench_orizuru_stream", lambda: OrizuruStream(orizuru(32, 4, 4))),
    "orizuru_stream_p16": Block("bench_orizuru_stream", lambda: OrizuruStream(orizuru(120, 9, 16))),
    "orizuru_stream_p1": Block("bench_orizuru_stream", lambda: OrizuruStream(orizuru(20, 1, 1))),
    "orizuru_stream_lists": Block(
        "bench_orizuru_stream",
        lambda: OrizuruStream(orizuru(100, 5, 8), lists=4, queue=3, sections=2),
    ),
    "orizuru_stream_reverse": Block(
        "bench_orizuru_stream",
        lambda: OrizuruStream(orizuru(120, 7, 16), sections=4, reverse=True),
    ),
    "orizuru_unit": Block("bench_orizuru_unit", lambda: OrizuruUnit(orizuru(16, 4, 16))),
    "orizuru_unit_p4": Block(
        "bench_orizuru_unit", lambda: OrizuruUnit(orizuru(16, 7, 4), count=True)
    ),
    "orizuru_unit_2": Block(
        "bench_orizuru_unit", lambda: OrizuruUnit(orizuru(2, 2, 2), count=True)
    ),
    "orizuru_tree": Block("bench_orizuru_unit", lambda: OrizuruTree(orizuru(40, 5, 16))),
    "orizuru_tree_p4": Block(
        "bench_orizuru_unit", lambda: OrizuruTree(orizuru(39, 5, 4), count=True)
    ),
    "orizuru_tree_levels": Block(
        "bench_orizuru_unit", lambda: OrizuruTree(orizuru(272, 5, 64), count=True)
    ),
    "orizuru_tree_1": Block(
        "bench_orizuru_unit", lambda: OrizuruTree(orizuru(6, 3, 16), count=True)
    ),
    "orizuru_leaf": Block("bench_orizuru_leaf", lambda: OrizuruLeaf(16, 16)),
    "orizuru_leaf_p4": Block("bench_orizuru_leaf", lambda: OrizuruLeaf(16, 4)),
    "orizuru_leaf_2": Block("bench_orizuru_leaf", lambda: OrizuruLeaf(2, 2)),
    "orizuru_upper": Block("bench_orizuru_upper", lambda: OrizuruUpper(16, 4)),
    "orizuru_upper_8": Block("bench_orizuru_upper", lambda: OrizuruUpper(8, 4)),
    "orizuru_upper_4": Block("bench_orizuru_upper", lambda: OrizuruUpper(4, 8)),
    "orizuru_upper_2": Block("bench_orizuru_upper", lambda: OrizuruUpper(2, 1)),
    "orizuru_control": Block("bench_orizuru_control", lambda: OrizuruControl(5, 6, 3)),
    "orizuru_control_1": Block("bench_orizuru_control", lambda: OrizuruControl(2, 1, 1)),
    "orizuru_stream_heap": Block(
        "bench_orizuru_stream",
        lambda: OrizuruStream(orizuru(60, 9, 8), sections=4, reverse=True, heap=True),
    ),
    "outlier_side": Block(
        "bench_outlier_side", lambda: OutlierSide(orizuru(64, 5, 8), queue=3, sections=4)
    ),
    "outlier_side_2": Block("bench_outlier_side", lambda: OutlierSide(orizuru(64, 5, 8))),
    "outlier_side_reverse": Block(
        "bench_outlier_side",
        lambda: OutlierSide(orizuru(64, 5, 8), largest=False, sections=2, reverse=True),
    ),
    "outlier_side_heap": Block(
        "bench_outlier_side",
        lambda: OutlierSide(orizuru(64, 9, 8), queue=3, sections=4, reverse=True, heap=True),
    ),
    "entry_merge": Block("bench_entry_merge", lambda: EntryMerge(orizuru(64, 5, 8))),
    "entry_merge_smallest": Block(
        "bench_entry_merge", lambda: EntryMerge(orizuru(64, 5, 8), largest=False)
    ),
}
