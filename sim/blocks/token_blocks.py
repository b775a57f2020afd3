"""Components from activations to codes, as the benches try them."""

from hw.stream.token_buffer import TokenBuffer
from hw.token.absolute_sum import AbsoluteSum
from hw.token.cluster_pass import ClusterPass
from hw.token.clustering_unit import ClusteringUnit
from hw.token.midpoint_scaler import MidpointScaler
from hw.token.outlier_join import OutlierJoin
from hw.token.outlier_residual import OutlierResidual
from hw.token.reciprocal import Reciprocal
from hw.token.residual_builder import ResidualBuilder
from hw.token.token_framer import TokenFramer
from hw.token.token_ingest import TokenIngest
from hw.token.token_quantizer import TokenQuantizer
from hw.token.token_scale import TokenScale
from sim.blocks.block import PLAIN, SYMMETRIC, WIDE, Block

TOKEN_BLOCKS = {
    "reciprocal": Block("bench_reciprocal", Reciprocal),
    "clustering_unit_symmetric": Block("bench_clustering_unit", lambda: ClusteringUnit(True)),
    "clustering_unit_plain": Block("bench_clustering_unit", lambda: ClusteringUnit(False)),
    "absolute_sum_k4": Block("bench_absolute_sum", lambda: AbsoluteSum(SYMMETRIC)),
    "absolute_sum_k16": Block("bench_absolute_sum", lambda: AbsoluteSum(WIDE)),
    "token_scale": Block("bench_token_scale", lambda: TokenScale(WIDE)),
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
}
