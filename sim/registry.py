"""The blocks that have a bench."""

from sim.blocks.counter_blocks import COUNTER_BLOCKS
from sim.blocks.counter_fp16_blocks import COUNTER_FP16_BLOCKS
from sim.blocks.engine_blocks import ENGINE_BLOCKS
from sim.blocks.fp16_blocks import FP16_BLOCKS
from sim.blocks.lookup_blocks import LOOKUP_BLOCKS
from sim.blocks.mac_blocks import MAC_BLOCKS
from sim.blocks.orizuru_blocks import ORIZURU_BLOCKS
from sim.blocks.output_blocks import OUTPUT_BLOCKS
from sim.blocks.stream_blocks import STREAM_BLOCKS
from sim.blocks.token_blocks import TOKEN_BLOCKS
from sim.blocks.top_k_blocks import TOP_K_BLOCKS

COMPONENT = "KLLM_COMPONENT"  # environment variable that tells a bench which block runs

BLOCKS = (
    STREAM_BLOCKS
    | FP16_BLOCKS
    | COUNTER_FP16_BLOCKS
    | TOKEN_BLOCKS
    | ORIZURU_BLOCKS
    | TOP_K_BLOCKS
    | LOOKUP_BLOCKS
    | MAC_BLOCKS
    | OUTPUT_BLOCKS
    | COUNTER_BLOCKS
    | ENGINE_BLOCKS
)
