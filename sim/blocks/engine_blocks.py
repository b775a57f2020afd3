"""The linear engine and what loads it, as the benches try them."""

from hw.linear.layer_constants import LayerConstants
from hw.linear.linear_engine import LinearEngine
from sim.blocks.block import PLAIN, SYMMETRIC, Block

ENGINE_BLOCKS = {
    "layer_constants_symmetric": Block("bench_layer_constants", lambda: LayerConstants(SYMMETRIC)),
    "layer_constants_plain": Block("bench_layer_constants", lambda: LayerConstants(PLAIN)),
    "linear_engine_symmetric": Block("bench_linear_engine", lambda: LinearEngine(SYMMETRIC)),
    "linear_engine_plain": Block("bench_linear_engine", lambda: LinearEngine(PLAIN)),
}
