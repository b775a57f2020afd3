"""What all linear engines share."""

from functools import partial

from gateware.point import Point, listed
from gateware.points.linear_counter_fp16 import SMALL as FP16
from gateware.sizes import AHEAD, PLAIN, SNAPS, SYMMETRIC, engine_spec
from hw.linear.shell.layer_constants import LayerConstants
from hw.linear.shell.stream_engine import StreamEngine

POINTS = (
    Point("layer_constants_symmetric", partial(LayerConstants, SYMMETRIC)),
    Point("layer_constants_plain", partial(LayerConstants, PLAIN)),
    Point("layer_constants_ahead", partial(LayerConstants, AHEAD)),
    Point("layer_constants_forms", partial(LayerConstants, SNAPS)),
    Point("layer_constants_fp16", partial(LayerConstants, FP16)),
    Point("stream_engine", partial(StreamEngine, SYMMETRIC)),
    listed(
        "tiny_symmetric_axis",
        partial(StreamEngine, engine_spec("tiny", symmetric=True)),
        "tiny_symmetric with tokens and outputs as frames of AXI4-Stream, constants by AXI4-Lite",
        bench=None,
    ),
)
