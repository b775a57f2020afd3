"""Other outlier engines and their components, as the benches try them."""

from hw.topk.baseline.bitonic_top_k import BitonicTopK
from hw.topk.baseline.chunk_sorter import ChunkSorter
from hw.topk.baseline.lane_banks import LaneBanks
from hw.topk.baseline.pivot_sampler import PivotSampler
from hw.topk.baseline.quick_select import QuickSelect
from hw.topk.baseline.rank_lists import RankLists
from hw.topk.baseline.ranked_entries import RankedEntries
from hw.topk.baseline.row_reader import RowReader
from hw.topk.baseline.token_rows import TokenRows
from sim.blocks.block import Block, orizuru

TOP_K_BLOCKS = {
    "chunk_sorter_4": Block("bench_chunk_sorter", lambda: ChunkSorter(4)),
    "chunk_sorter_16": Block("bench_chunk_sorter", lambda: ChunkSorter(16)),
    "rank_lists": Block("bench_rank_lists", lambda: RankLists(orizuru(64, 7, 8))),
    "rank_lists_1": Block("bench_rank_lists", lambda: RankLists(orizuru(20, 1, 4))),
    "bitonic_top_k_p4": Block("bench_bitonic_top_k", lambda: BitonicTopK(orizuru(32, 4, 4))),
    "bitonic_top_k_p16": Block("bench_bitonic_top_k", lambda: BitonicTopK(orizuru(120, 9, 16))),
    "bitonic_top_k_p1": Block("bench_bitonic_top_k", lambda: BitonicTopK(orizuru(20, 1, 1))),
    "token_rows": Block("bench_token_rows", lambda: TokenRows(orizuru(30, 4, 4))),
    "lane_banks": Block("bench_lane_banks", lambda: LaneBanks(orizuru(30, 4, 4))),
    "row_reader": Block("bench_row_reader", lambda: RowReader(orizuru(30, 4, 4))),
    "pivot_sampler": Block("bench_pivot_sampler", lambda: PivotSampler(orizuru(60, 4, 4))),
    "ranked_entries": Block("bench_ranked_entries", lambda: RankedEntries(orizuru(64, 5, 8), 8)),
    "quick_select_p4": Block("bench_quick_select", lambda: QuickSelect(orizuru(32, 4, 4))),
    "quick_select_p8": Block("bench_quick_select", lambda: QuickSelect(orizuru(50, 5, 8))),
    "quick_select_p1": Block("bench_quick_select", lambda: QuickSelect(orizuru(20, 1, 1))),
}
