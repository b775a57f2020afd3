"""The linear engine and what loads it, as the benches try them."""

from hw.linear.lookup.lookup_engine import LookupEngine
from hw.linear.shell.layer_constants import LayerConstants
from sim.blocks.block import PLAIN, SYMMETRIC, Block

ENGINE_BLOCKS = {
    "layer_constants_symmetric": Block("bench_layer_constants", lambda: LayerConstants(SYMMETRIC)),
    "layer_constants_plain": Block("bench_layer_constants", lambda: LayerConstants(PLAIN)),
    "lookup_engine_symmetric": Block("bench_lookup_engine", lambda: LookupEngine(SYMMETRIC)),
    "lookup_engine_plain": Block("bench_lookup_engine", lambda: LookupEngine(PLAIN)),
}
