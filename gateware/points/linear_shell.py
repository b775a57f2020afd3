"""What all linear engines share."""

from functools import partial

from gateware.point import Point
from gateware.points.linear_counter_fp16 import SMALL as FP16
from gateware.sizes import AHEAD, PLAIN, SNAPS, SYMMETRIC
from hw.linear.shell.layer_constants import LayerConstants

POINTS = (
    Point("layer_constants_symmetric", partial(LayerConstants, SYMMETRIC)),
    Point("layer_constants_plain", partial(LayerConstants, PLAIN)),
    Point("layer_constants_ahead", partial(LayerConstants, AHEAD)),
    Point("layer_constants_forms", partial(LayerConstants, SNAPS)),
    Point("layer_constants_fp16", partial(LayerConstants, FP16)),
)
