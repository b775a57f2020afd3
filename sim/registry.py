"""The blocks that have a bench, with parameters small enough for Icarus."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.lib import wiring

from golden.spec import NumberSpec
from hw.absolute_sum import AbsoluteSum
from hw.beat_sequencer import BeatSequencer
from hw.bitonic_top_k import BitonicTopK
from hw.chunk_sorter import ChunkSorter
from hw.cluster_pass import ClusterPass
from hw.clustering_unit import ClusteringUnit
from hw.engine_spec import EngineSpec
from hw.entry_merge import EntryMerge
from hw.fp16_add import Fp16Add
from hw.fp16_compare import Fp16Compare
from hw.fp16_fma import Fp16Fma
from hw.fp16_from_integer import Fp16FromInteger
from hw.fp16_key import Fp16Key
from hw.fp16_multiply import Fp16Multiply
from hw.fp16_to_integer import Fp16ToInteger
from hw.heap_level import HeapLevel
from hw.heap_list import HeapList
from hw.lane_banks import LaneBanks
from hw.layer_constants import LayerConstants
from hw.linear_engine import LinearEngine
from hw.lookup_array import LookupArray
from hw.lookup_lane import LookupLane
from hw.lookup_tree import LookupTree
from hw.midpoint_scaler import MidpointScaler
from hw.orizuru_control import OrizuruControl
from hw.orizuru_leaf import OrizuruLeaf
from hw.orizuru_spec import OrizuruSpec
from hw.orizuru_stream import OrizuruStream
from hw.orizuru_tree import OrizuruTree
from hw.orizuru_unit import OrizuruUnit
from hw.orizuru_upper import OrizuruUpper
from hw.outlier_join import OutlierJoin
from hw.outlier_residual import OutlierResidual
from hw.outlier_side import OutlierSide
from hw.output_scaler import OutputScaler
from hw.output_stage import OutputStage
from hw.pivot_sampler import PivotSampler
from hw.quick_select import QuickSelect
from hw.rank_lists import RankLists
from hw.ranked_entries import RankedEntries
from hw.reciprocal import Reciprocal
from hw.residual_builder import ResidualBuilder
from hw.row_reader import RowReader
from hw.row_select import RowSelect
from hw.sorted_list import SortedList
from hw.token_buffer import TokenBuffer
from hw.token_framer import TokenFramer
from hw.token_ingest import TokenIngest
from hw.token_quantizer import TokenQuantizer
from hw.token_rows import TokenRows
from hw.token_scale import TokenScale
from hw.weight_requester import WeightRequester

COMPONENT = "KLLM_COMPONENT"  # environment variable that tells a bench which block runs


@dataclass(frozen=True)
class Block:
    """A component with every parameter chosen, and the bench that tries it.

    Parameters
    ----------
    bench : str
        Module in ``sim`` that holds the cocotb tests.
    make : callable
        Returns a fresh component.
    """

    bench: str
    make: Callable[[], wiring.Component]


def small_spec(
    *,
    symmetric: bool,
    inputs_per_beat: int = 4,
    inputs_max: int = 32,
    outliers_max: int = 4,
    scale_lanes: int = 2,
) -> EngineSpec:
    """Return an engine of a size for benches."""
    return EngineSpec(
        numbers=NumberSpec(symmetric=symmetric, magnitude_bits=8 if symmetric else 9),
        inputs_per_beat=inputs_per_beat,
        output_lanes=4,
        inputs_max=inputs_max,
        outputs_max=16,
        outliers_max=outliers_max,
        scale_lanes=scale_lanes,
    )


def orizuru(inputs_max: int, outliers_max: int, values_per_beat: int) -> OrizuruSpec:
    """Return the size of an outlier engine for benches."""
    return OrizuruSpec(
        inputs_max=inputs_max, outliers_max=outliers_max, values_per_beat=values_per_beat
    )


SYMMETRIC = small_spec(symmetric=True)
PLAIN = small_spec(symmetric=False)
WIDE = small_spec(symmetric=True, inputs_per_beat=16, inputs_max=192, outliers_max=8)
ONE_BY_ONE = small_spec(symmetric=True, scale_lanes=1)
AT_ONCE = small_spec(symmetric=True, scale_lanes=4)

BLOCKS = {
    "fp16_key": Block("bench_fp16_key", Fp16Key),
    "fp16_fma": Block("bench_fp16_arithmetic", Fp16Fma),
    "fp16_fma_pipelined": Block("bench_fp16_arithmetic", lambda: Fp16Fma(pipelined=True)),
    "fp16_multiply": Block("bench_fp16_arithmetic", Fp16Multiply),
    "fp16_multiply_pipelined": Block("bench_fp16_arithmetic", lambda: Fp16Multiply(pipelined=True)),
    "fp16_add": Block("bench_fp16_arithmetic", Fp16Add),
    "fp16_add_pipelined": Block("bench_fp16_arithmetic", lambda: Fp16Add(pipelined=True)),
    "fp16_compare": Block("bench_fp16_compare", Fp16Compare),
    "fp16_from_integer_8": Block("bench_fp16_integers", lambda: Fp16FromInteger(8)),
    "fp16_from_integer_24": Block(
        "bench_fp16_integers", lambda: Fp16FromInteger(24, pipelined=True)
    ),
    "fp16_to_integer_8": Block("bench_fp16_integers", lambda: Fp16ToInteger(8)),
    "fp16_to_integer_18": Block("bench_fp16_integers", lambda: Fp16ToInteger(18, pipelined=True)),
    "reciprocal": Block("bench_reciprocal", Reciprocal),
    "clustering_unit_symmetric": Block("bench_clustering_unit", lambda: ClusteringUnit(True)),
    "clustering_unit_plain": Block("bench_clustering_unit", lambda: ClusteringUnit(False)),
    "absolute_sum_k4": Block("bench_absolute_sum", lambda: AbsoluteSum(SYMMETRIC)),
    "absolute_sum_k16": Block("bench_absolute_sum", lambda: AbsoluteSum(WIDE)),
    "token_scale": Block("bench_token_scale", lambda: TokenScale(WIDE)),
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
    "outlier_join": Block("bench_outlier_join", lambda: OutlierJoin(SYMMETRIC)),
    "midpoint_scaler_symmetric": Block("bench_midpoint_scaler", lambda: MidpointScaler(SYMMETRIC)),
    "midpoint_scaler_plain": Block("bench_midpoint_scaler", lambda: MidpointScaler(PLAIN)),
    "outlier_residual_symmetric": Block(
        "bench_outlier_residual", lambda: OutlierResidual(SYMMETRIC)
    ),
    "outlier_residual_plain": Block("bench_outlier_residual", lambda: OutlierResidual(PLAIN)),
    "residual_builder_symmetric": Block(
        "bench_residual_builder", lambda: ResidualBuilder(SYMMETRIC)
    ),
    "residual_builder_plain": Block("bench_residual_builder", lambda: ResidualBuilder(PLAIN)),
    "output_scaler": Block("bench_output_scaler", lambda: OutputScaler(SYMMETRIC)),
    "output_scaler_wide": Block("bench_output_scaler", lambda: OutputScaler(WIDE)),
    "row_select_symmetric": Block("bench_row_select", lambda: RowSelect(SYMMETRIC)),
    "row_select_plain": Block("bench_row_select", lambda: RowSelect(PLAIN)),
    "lookup_tree_symmetric": Block("bench_lookup_tree", lambda: LookupTree(SYMMETRIC)),
    "lookup_tree_symmetric_k16": Block("bench_lookup_tree", lambda: LookupTree(WIDE)),
    "lookup_tree_plain": Block("bench_lookup_tree", lambda: LookupTree(PLAIN)),
    "lookup_lane_symmetric": Block("bench_lookup_lane", lambda: LookupLane(SYMMETRIC)),
    "lookup_lane_plain": Block("bench_lookup_lane", lambda: LookupLane(PLAIN)),
    "lookup_array_symmetric": Block("bench_lookup_array", lambda: LookupArray(SYMMETRIC)),
    "lookup_array_plain": Block("bench_lookup_array", lambda: LookupArray(PLAIN)),
    "beat_sequencer": Block("bench_beat_sequencer", lambda: BeatSequencer(SYMMETRIC)),
    "weight_requester": Block("bench_weight_requester", lambda: WeightRequester(SYMMETRIC)),
    "token_buffer": Block("bench_token_buffer", lambda: TokenBuffer(5, 3, 6)),
    "token_buffer_1": Block("bench_token_buffer", lambda: TokenBuffer(8, 1, 1)),
    "token_framer_k4": Block("bench_token_framer", lambda: TokenFramer(SYMMETRIC)),
    "token_framer_k16": Block("bench_token_framer", lambda: TokenFramer(WIDE)),
    "token_ingest_k4": Block("bench_token_ingest", lambda: TokenIngest(SYMMETRIC)),
    "token_ingest_k16": Block("bench_token_ingest", lambda: TokenIngest(WIDE)),
    "cluster_pass_symmetric": Block("bench_cluster_pass", lambda: ClusterPass(SYMMETRIC)),
    "cluster_pass_plain": Block("bench_cluster_pass", lambda: ClusterPass(PLAIN)),
    "token_quantizer_symmetric": Block("bench_token_quantizer", lambda: TokenQuantizer(SYMMETRIC)),
    "token_quantizer_plain": Block("bench_token_quantizer", lambda: TokenQuantizer(PLAIN)),
    "output_stage": Block("bench_output_stage", lambda: OutputStage(SYMMETRIC)),
    "output_stage_s1": Block("bench_output_stage", lambda: OutputStage(ONE_BY_ONE)),
    "output_stage_s4": Block("bench_output_stage", lambda: OutputStage(AT_ONCE)),
    "layer_constants_symmetric": Block("bench_layer_constants", lambda: LayerConstants(SYMMETRIC)),
    "layer_constants_plain": Block("bench_layer_constants", lambda: LayerConstants(PLAIN)),
    "linear_engine_symmetric": Block("bench_linear_engine", lambda: LinearEngine(SYMMETRIC)),
    "linear_engine_plain": Block("bench_linear_engine", lambda: LinearEngine(PLAIN)),
}
