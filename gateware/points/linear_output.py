"""Components from sums to outputs."""

from functools import partial

from gateware.point import Point
from gateware.sizes import AT_ONCE, ONE_BY_ONE, SYMMETRIC, TOGETHER, WIDE
from hw.linear.output.output_scaler import OutputScaler
from hw.linear.output.output_stage import OutputStage
from hw.linear.output.scale_keeper import ScaleKeeper

POINTS = (
    Point("output_scaler", partial(OutputScaler, SYMMETRIC.sum_bits)),
    Point("output_scaler_wide", partial(OutputScaler, WIDE.sum_bits)),
    Point("output_stage", partial(OutputStage, SYMMETRIC)),
    Point("scale_keeper", partial(ScaleKeeper, TOGETHER)),
    Point("output_stage_s1", partial(OutputStage, ONE_BY_ONE)),
    Point("output_stage_s4", partial(OutputStage, AT_ONCE)),
)
