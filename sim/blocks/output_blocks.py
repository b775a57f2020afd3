"""Components from sums to outputs, as the benches try them."""

from hw.linear.output.output_scaler import OutputScaler
from hw.linear.output.output_stage import OutputStage
from sim.blocks.block import AT_ONCE, ONE_BY_ONE, SYMMETRIC, WIDE, Block

OUTPUT_BLOCKS = {
    "output_scaler": Block("bench_output_scaler", lambda: OutputScaler(SYMMETRIC.sum_bits)),
    "output_scaler_wide": Block("bench_output_scaler", lambda: OutputScaler(WIDE.sum_bits)),
    "output_stage": Block("bench_output_stage", lambda: OutputStage(SYMMETRIC)),
    "output_stage_s1": Block("bench_output_stage", lambda: OutputStage(ONE_BY_ONE)),
    "output_stage_s4": Block("bench_output_stage", lambda: OutputStage(AT_ONCE)),
}
