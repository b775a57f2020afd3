"""Orizuru and its components."""

from functools import partial

from gateware.outlier_engines import compared, outlier_design
from gateware.point import Point
from gateware.sizes import outlier_spec as size
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

UNIT_BENCH = "topk.orizuru.bench_orizuru_unit"

POINTS = (
    compared("orizuru_tree", "tree"),
    compared("orizuru_stream_16", "stream"),
    compared("orizuru_stream_32", "stream", values_per_beat=32),
    compared("orizuru_stream_64", "stream", values_per_beat=64),
    compared("orizuru_stream_k205", "stream", k=205),
    Point("sorted_list", partial(SortedList, 5, 6)),
    Point("sorted_list_1", partial(SortedList, 1, 6)),
    Point("sorted_list_smallest", partial(SortedList, 6, 5, largest=False)),
    Point("sorted_list_reverse", partial(SortedList, 5, 6, reverse=True)),
    Point("heap_level_1", partial(HeapLevel, 1, 9, 4)),
    Point("heap_level_3", partial(HeapLevel, 3, 29, 4, largest=False)),
    Point("heap_list", partial(HeapList, 13, 7)),
    Point("heap_list_2", partial(HeapList, 2, 6, largest=False)),
    Point("heap_list_deep", partial(HeapList, 19, 8, largest=False)),
    Point("orizuru_stream_p4", partial(OrizuruStream, size(32, 4, 4))),
    Point("orizuru_stream_p16", partial(OrizuruStream, size(120, 9, 16))),
    Point("orizuru_stream_p1", partial(OrizuruStream, size(20, 1, 1))),
    Point(
        "orizuru_stream_lists",
        partial(OrizuruStream, size(100, 5, 8), lists=4, queue=3, sections=2),
    ),
    Point(
        "orizuru_stream_reverse", partial(OrizuruStream, size(120, 7, 16), sections=4, reverse=True)
    ),
    outlier_design("orizuru_unit", "unit", size(16, 4, 16), bench=UNIT_BENCH),
    Point("orizuru_unit_p4", partial(OrizuruUnit, size(16, 7, 4), count=True)),
    Point("orizuru_unit_2", partial(OrizuruUnit, size(2, 2, 2), count=True)),
    Point("orizuru_tree_n40", partial(OrizuruTree, size(40, 5, 16)), bench=UNIT_BENCH),
    Point("orizuru_tree_p4", partial(OrizuruTree, size(39, 5, 4), count=True), bench=UNIT_BENCH),
    Point(
        "orizuru_tree_levels", partial(OrizuruTree, size(272, 5, 64), count=True), bench=UNIT_BENCH
    ),
    Point("orizuru_tree_1", partial(OrizuruTree, size(6, 3, 16), count=True), bench=UNIT_BENCH),
    Point("orizuru_leaf", partial(OrizuruLeaf, 16, 16)),
    Point("orizuru_leaf_p4", partial(OrizuruLeaf, 16, 4)),
    Point("orizuru_leaf_2", partial(OrizuruLeaf, 2, 2)),
    Point("orizuru_upper", partial(OrizuruUpper, 16, 4)),
    Point("orizuru_upper_8", partial(OrizuruUpper, 8, 4)),
    Point("orizuru_upper_4", partial(OrizuruUpper, 4, 8)),
    Point("orizuru_upper_2", partial(OrizuruUpper, 2, 1)),
    Point("orizuru_control", partial(OrizuruControl, 5, 6, 3)),
    Point("orizuru_control_1", partial(OrizuruControl, 2, 1, 1)),
    Point(
        "orizuru_stream_heap",
        partial(OrizuruStream, size(60, 9, 8), sections=4, reverse=True, heap=True),
    ),
    Point("outlier_side", partial(OutlierSide, size(64, 5, 8), queue=3, sections=4)),
    Point("outlier_side_2", partial(OutlierSide, size(64, 5, 8))),
    Point(
        "outlier_side_reverse",
        partial(OutlierSide, size(64, 5, 8), largest=False, sections=2, reverse=True),
    ),
    Point(
        "outlier_side_heap",
        partial(OutlierSide, size(64, 9, 8), queue=3, sections=4, reverse=True, heap=True),
    ),
    Point("entry_merge", partial(EntryMerge, size(64, 5, 8))),
    Point("entry_merge_smallest", partial(EntryMerge, size(64, 5, 8), largest=False)),
)
