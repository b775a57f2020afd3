"""cocotb bench that runs one layer through an engine and writes what came out to a file."""

import os
import time
from pathlib import Path

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from gateware.points import point
from hw.linear.counter.counter_engine import CounterEngine
from hw.linear.linear_engine import LinearEngine
from sim.kit.clock import cycle
from sim.kit.counter_bed import CounterBed
from sim.kit.engine_bed import EngineBed
from sim.kit.engine_words import beats_per_token, output_beats
from sim.run.layer_file import load_layer
from sim.run.layer_run import DESIGN, LAYER, PROGRESS, RESULT

REPORT_CYCLES = 200


@cocotb.test()
async def layer_run(dut) -> None:
    """Load the layer, send every token at full rate, and keep outputs and times."""
    layer, x = load_layer(Path(os.environ[LAYER]))
    block = point(os.environ[DESIGN]).make()
    assert isinstance(block, LinearEngine | CounterEngine)
    started = time.perf_counter()
    counts = isinstance(block, CounterEngine)
    bed = await (CounterBed if counts else EngineBed)(dut, block).start()
    await bed.load(layer)
    total = len(x) * output_beats(block.spec, layer.outputs)
    report = cocotb.start_soon(_report(bed, total))
    y = await bed.run(x)
    report.cancel()
    weights = np.array(bed.sources["tile_weight_i" if counts else "weight_i"].taken_at, np.int64)
    assert len(weights) == len(x) * beats_per_token(block.spec, layer), "beats of weights"
    weights = weights.reshape(len(x), -1)
    flags = bed.flags()
    np.savez(
        os.environ[RESULT],
        y=y,
        first=weights[:, 0],
        last_weights=weights[:, -1],
        last=np.array(bed.sinks["o"].taken_at, np.int64).reshape(len(x), -1)[:, -1],
        flags=np.array([flags[n] for n in ("nonfinite", "saturated", "overflow")], np.bool_),
        simulated=np.array(cycle()),
        seconds=np.array(time.perf_counter() - started),
    )


async def _report(bed: EngineBed, total: int) -> None:
    """Say now and then which share of the output beats has come."""
    path = Path(os.environ[PROGRESS])
    while True:
        path.write_text(f"{len(bed.sinks['o'].items) / total:.4f}")
        for _ in range(REPORT_CYCLES):
            await RisingEdge(bed.dut.clk)
