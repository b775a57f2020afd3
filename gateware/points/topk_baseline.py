"""Other outlier engines and their components."""

from functools import partial

from gateware.outlier_engines import compared
from gateware.point import Point
from gateware.sizes import outlier_spec as size
from hw.topk.baseline.bitonic_top_k import BitonicTopK
from hw.topk.baseline.chunk_sorter import ChunkSorter
from hw.topk.baseline.lane_banks import LaneBanks
from hw.topk.baseline.pivot_sampler import PivotSampler
from hw.topk.baseline.quick_select import QuickSelect
from hw.topk.baseline.rank_lists import RankLists
from hw.topk.baseline.ranked_entries import RankedEntries
from hw.topk.baseline.row_reader import RowReader
from hw.topk.baseline.token_rows import TokenRows

POINTS = (
    compared("bitonic_16", "bitonic"),
    compared("bitonic_32", "bitonic", values_per_beat=32),
    compared("quick_select_16", "quick_select"),
    Point("chunk_sorter_4", partial(ChunkSorter, 4)),
    Point("chunk_sorter_16", partial(ChunkSorter, 16)),
    Point("rank_lists", partial(RankLists, size(64, 7, 8))),
    Point("rank_lists_1", partial(RankLists, size(20, 1, 4))),
    Point("bitonic_top_k_p4", partial(BitonicTopK, size(32, 4, 4))),
    Point("bitonic_top_k_p16", partial(BitonicTopK, size(120, 9, 16))),
    Point("bitonic_top_k_p1", partial(BitonicTopK, size(20, 1, 1))),
    Point("token_rows", partial(TokenRows, size(30, 4, 4))),
    Point("lane_banks", partial(LaneBanks, size(30, 4, 4))),
    Point("row_reader", partial(RowReader, size(30, 4, 4))),
    Point("pivot_sampler", partial(PivotSampler, size(60, 4, 4))),
    Point("ranked_entries", partial(RankedEntries, size(64, 5, 8), 8)),
    Point("quick_select_p4", partial(QuickSelect, size(32, 4, 4))),
    Point("quick_select_p8", partial(QuickSelect, size(50, 5, 8))),
    Point("quick_select_p1", partial(QuickSelect, size(20, 1, 1))),
)
