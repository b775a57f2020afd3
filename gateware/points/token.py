"""Components from activations to codes."""

from functools import partial

from gateware.point import Point
from gateware.sizes import FIVE, MADE, PLAIN, SNAPS, SYMMETRIC, WIDE
from hw.token.absolute_sum import AbsoluteSum
from hw.token.cluster_pass import ClusterPass
from hw.token.clustering_unit import ClusteringUnit
from hw.token.grid_unit import GridUnit
from hw.token.level_unit import LevelUnit
from hw.token.midpoint_scaler import MidpointScaler
from hw.token.outlier_join import OutlierJoin
from hw.token.outlier_residual import OutlierResidual
from hw.token.reciprocal import Reciprocal
from hw.token.residual_builder import ResidualBuilder
from hw.token.token_factor import TokenFactor
from hw.token.token_framer import TokenFramer
from hw.token.token_ingest import TokenIngest
from hw.token.token_quantizer import TokenQuantizer
from hw.token.token_scale import TokenScale

POINTS = (
    Point("reciprocal", partial(Reciprocal)),
    Point("clustering_unit_symmetric", partial(ClusteringUnit, 4, symmetric=True)),
    Point("clustering_unit_plain", partial(ClusteringUnit, 4, symmetric=False)),
    Point("clustering_unit_a5_symmetric", partial(ClusteringUnit, 5, symmetric=True)),
    Point("clustering_unit_a5_plain", partial(ClusteringUnit, 5, symmetric=False)),
    Point("grid_unit", partial(GridUnit)),
    Point("level_unit", partial(LevelUnit)),
    Point("absolute_sum_k4", partial(AbsoluteSum, SYMMETRIC)),
    Point("absolute_sum_k16", partial(AbsoluteSum, WIDE)),
    Point("token_scale", partial(TokenScale, WIDE)),
    Point("token_factor", partial(TokenFactor)),
    Point("outlier_join", partial(OutlierJoin, SYMMETRIC)),
    Point("midpoint_scaler_symmetric", partial(MidpointScaler, SYMMETRIC)),
    Point("midpoint_scaler_plain", partial(MidpointScaler, PLAIN)),
    Point("midpoint_scaler_a5", partial(MidpointScaler, FIVE[False])),
    Point("outlier_residual_symmetric", partial(OutlierResidual, SYMMETRIC)),
    Point("outlier_residual_plain", partial(OutlierResidual, PLAIN)),
    Point("outlier_residual_a8", partial(OutlierResidual, MADE[True])),
    Point("outlier_residual_forms", partial(OutlierResidual, SNAPS)),
    Point("residual_builder_symmetric", partial(ResidualBuilder, SYMMETRIC)),
    Point("residual_builder_plain", partial(ResidualBuilder, PLAIN)),
    Point("residual_builder_a8_symmetric", partial(ResidualBuilder, MADE[True])),
    Point("residual_builder_a8_plain", partial(ResidualBuilder, MADE[False])),
    Point("token_framer_k4", partial(TokenFramer, SYMMETRIC)),
    Point("token_framer_k16", partial(TokenFramer, WIDE)),
    Point("token_ingest_k4", partial(TokenIngest, SYMMETRIC)),
    Point("token_ingest_k16", partial(TokenIngest, WIDE)),
    Point("cluster_pass_symmetric", partial(ClusterPass, SYMMETRIC)),
    Point("cluster_pass_plain", partial(ClusterPass, PLAIN)),
    Point("cluster_pass_a5", partial(ClusterPass, FIVE[True])),
    Point("cluster_pass_a8", partial(ClusterPass, MADE[True])),
    Point("cluster_pass_forms", partial(ClusterPass, SNAPS)),
    Point("token_quantizer_symmetric", partial(TokenQuantizer, SYMMETRIC)),
    Point("token_quantizer_plain", partial(TokenQuantizer, PLAIN)),
    Point("token_quantizer_a5", partial(TokenQuantizer, FIVE[True])),
    Point("token_quantizer_a8_symmetric", partial(TokenQuantizer, MADE[True])),
    Point("token_quantizer_a8_plain", partial(TokenQuantizer, MADE[False])),
    Point("token_quantizer_forms", partial(TokenQuantizer, SNAPS)),
)
